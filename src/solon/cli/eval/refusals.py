"""`solon eval refusals`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import one_of, opened, percent, print_json, say_lost, share
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import AnswersSection
from solon.errors import UserError
from solon.evals.published.refusals import CLASSES, Refusals, Share, completion_of, read_prompts, score_file, summed
from solon.evals.tasks import spread
from solon.evals.tasks.answers import completion_outcome

HEADS = ("comply", "refuse", "both")
"""Of the classes, short, so that the table fits a terminal of 80 columns."""


def refusals(
    context: typer.Context,
    completions: Annotated[
        Path | None, Option(metavar="FILE", help="Rows with `id`, `prompt` and `completion`.")
    ] = None,
    data: Annotated[Path | None, Option(metavar="FILE", help="With --model: rows with `prompt`, as published.")] = None,
    model: options.AskedModel = None,
    engine: Engine = "local",
    temperature: options.Temperature = 0.0,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """XSTest: does it comply, refuse, or do both?

    \b
      [bold]solon eval refusals --completions answers.csv[/bold]
      [bold]solon eval refusals --data xstest_prompts.csv --model ./my-model[/bold]

    Each completion is full_compliance, full_refusal or partial_refusal, by English words alone. Refusals of safe
    prompts are over-refusal. Where the file has labels of people (`final_label`, ...), the agreement is told too.
    """
    of_model = ("data", "engine", "temperature", "limit", "seed", "settings")
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    one_of(context, completions, model, "--completions", of_model)
    if kept.of_run:
        section = AnswersSection(data=data and str(data), limit=limit, temperatures=(temperature,))
        kept.ask(context, "refusals", section, as_json=as_json)
        return
    if completions is not None:
        result = score_file(completions)
    else:
        if data is None:
            raise UserError("--model needs the prompts", hint="--data xstest_prompts.csv")
        prompts = spread(read_prompts(data), limit)
        given = opened(model or "", engine, settings, seed=seed, temperature=temperature)
        answers = given.answering([one.text for one in prompts], "refusals")
        say_lost(answers)
        both = zip(prompts, answers.texts, strict=True)
        rows = [completion_of(prompt, text) for prompt, text in both if text is not None]
        result = summed(rows, answers.lost, answers.unfinished)
    if as_json:
        print_json(result)
    else:
        _print(str(completions or data), result)
    kept.keep_answers(
        "refusals", [completion_outcome(str(place), row) for place, row in enumerate(result.rows)], completions
    )


def _print(title: str, result: Refusals) -> None:
    shares = {"all": result.shares, **result.by_label, **result.by_type}
    print_table(
        title,
        ["prompts"],
        ["n", *HEADS, "refuse, 95%"],
        [(name, str(own.n), *_shares(own)) for name, own in shares.items()],
    )
    if result.blank:
        typer.echo(f"left out, blank: {result.blank}")
    if result.agreement is not None:
        print_table(
            "Agreement with the labels of people",
            ["labelled"],
            HEADS,
            [(human, *(str(row[name]) for name in CLASSES)) for human, row in result.confusion.items()],
        )
        value, interval = share(result.agreement)
        typer.echo(f"agreement: {value} ({interval})")


def _shares(own: Share) -> tuple[str, ...]:
    return (*(percent(getattr(own, name).rate) for name in CLASSES), share(own.full_refusal)[1])
