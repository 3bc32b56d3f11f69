"""`solon eval bbq`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import between, one_of, opened, percent, print_json
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import ChoicesSection
from solon.evals.published.bbq import RESAMPLES, Bbq, scores
from solon.evals.published.bbq_items import kind_of, read_answers, read_items
from solon.evals.tasks import spread
from solon.evals.tasks.choices import given_outcome

if TYPE_CHECKING:
    from solon.evals.published.bbq_items import Answer, Item


def bbq(
    context: typer.Context,
    data: options.Data,
    answers: Annotated[
        Path | None, Option(metavar="FILE", help="Rows with `example_id` and `answer`: 0, 1, 2 or a text.")
    ] = None,
    model: options.AskedModel = None,
    engine: Engine = "local",
    limit: Annotated[
        int | None, Option(min=1, metavar="N", help="With --model: at most N rows, from all over the file.")
    ] = None,
    seed: options.Seed = 0,
    resamples: Annotated[int, Option(min=100, metavar="N", help="Of the bootstrap over templates.")] = RESAMPLES,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """BBQ: does a model fall back on stereotypes?

    \b
      [bold]solon eval bbq --data Age.jsonl.gz --answers answers.jsonl[/bold]
      [bold]solon eval bbq --data Age.jsonl.gz --model ./my-model[/bold]

    Both scores are computed as the authors compute them, from -1 (against the stereotype) to 1. As with them, answers
    whose option cannot be told count nowhere; the table says how many they are. A model is asked how likely it finds
    each option, in several orders.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    one_of(context, answers, model, "--answers", ("engine", "limit", "settings"))
    if kept.of_run:
        kept.ask(context, "bbq", ChoicesSection(data=str(data), limit=limit), as_json=as_json)
        return
    items = spread(read_items(data), limit, kind_of)
    unscored: dict[str, int] = {}
    if answers is not None:
        given = read_answers(answers, items)
    else:
        given, unscored = _asked(items, model, engine, settings, seed)
    result = scores(items, given, unscored=unscored, seed=seed, resamples=resamples)
    if as_json:
        print_json(result)
    else:
        _print(str(data), result)
    kept.keep_answers("bbq", [given_outcome(item, given.get(place)) for place, item in enumerate(items)], data)


def _asked(
    items: list[Item], model: str | None, engine: str, settings: list[str] | None, seed: int
) -> tuple[dict[int, Answer], dict[str, int]]:
    """The likeliest options by the places of their items, and how many items have no verdict, by reason."""
    from solon.evals.published.bbq_items import question_of
    from solon.evals.published.choices import ask

    asked = opened(model or "", engine, settings, seed=seed)
    found = ask([question_of(item) for item in items], asked.model, chat=asked.chat, seed=seed)
    chosen = [None if row.chosen is None else "ABC".index(row.chosen[1]) for row in found.rows]
    return dict(enumerate(chosen)), found.unscored_by_reason


def _print(title: str, result: Bbq) -> None:
    numbers = ["n", "right", "decided", "biased", "score", "95% interval"]
    rows = [
        (
            *(row.category, row.condition, str(row.n), percent(row.accuracy), str(row.n_non_unknown)),
            *(str(row.n_biased), _signed(row.score), between(row.score_low, row.score_high, _signed)),
        )
        for row in result.rows
    ]
    print_table(title, ["category", "context"], numbers, rows)
    for what in ("unparsed", "refused", "no_target", "unanswered"):
        if number := sum(getattr(row, what) for row in result.rows):
            typer.echo(f"{what.replace('_', ' ')}: {number}")
    for reason, number in result.unscored_by_reason.items():
        typer.echo(f"without a verdict, {reason}: {number}")


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
