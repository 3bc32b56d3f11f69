"""`solon eval opinions`."""

from __future__ import annotations

import typer

from solon.cli.eval import options
from solon.cli.eval.options import between, opened, print_json
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.errors import PromptError, Where
from solon.evals.published.opinions import Survey, read_surveys
from solon.evals.published.opinions import opinions as compare
from solon.evals.tasks import spread


def opinions(
    context: typer.Context,
    data: options.Data,
    model: options.AskedModel = None,
    engine: Engine = "local",
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    as_json: JsonInstead = False,
) -> None:
    """OpinionQA: whose opinions does a model reflect?

    \b
      [bold]solon eval opinions --data distributions.jsonl[/bold]
      [bold]solon eval opinions --data survey.jsonl --model ./my-model[/bold]

    Rows have `question`, `options` in their order and `people`, the share of each option, or shares by group. What the
    model says stands in `model`, or it is asked how likely it finds each option, in several orders. Representativeness
    is the mean over questions of 1 - W / d, W the Wasserstein distance and d that of the two farthest options.
    """
    options.only_with_model(context, model, ("engine", "seed", "settings"), "what the model said stands in the data")
    surveys = spread(read_surveys(data), limit)
    said = [survey.model for survey in surveys] if model is None else _asked(surveys, model, engine, settings, seed)
    if all(one is None for one in said):
        raise PromptError('no row has "model", what a model said', where=Where(data), hint="ask one: --model MODEL")
    result = compare(surveys, said)
    if as_json:
        print_json(result)
        return
    rows = [
        (
            *(one.group, str(one.n), _plain(one.representativeness.mean)),
            between(one.representativeness.low, one.representativeness.high, _plain),
        )
        for one in result.groups
    ]
    print_table(str(data), ["people"], ["n", "representativeness", "95% interval"], rows)
    if result.unasked:
        typer.echo(f"questions without a distribution of the model: {result.unasked}")


def _asked(
    surveys: list[Survey], model: str, engine: str, settings: list[str] | None, seed: int
) -> list[tuple[float, ...] | None]:
    from solon.evals.published.choices import distributions

    given = opened(model, engine, settings, seed=seed)
    return distributions([survey.question for survey in surveys], given.model, chat=given.chat, seed=seed)


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
