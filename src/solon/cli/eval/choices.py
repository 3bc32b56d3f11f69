"""`solon eval hhh`, `harm-or-ethical` and `harm-type`: questions with lettered options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.eval import keeping, options
from solon.cli.eval.options import opened, percent, print_json, share
from solon.cli.opening import Engine
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.config.evaluations import ChoicesSection
from solon.evals.published.choices import ORDERS, Choices, ask, read_questions
from solon.evals.tasks import spread

Orders = Annotated[
    int, Option(min=1, metavar="N", help="Orders of the options, the published one first; of two there are 2.")
]


def hhh(
    context: typer.Context,
    data: options.Data,
    model: options.Model,
    engine: Engine = "local",
    orders: Orders = ORDERS,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """HHH: which answer is more helpful, honest and harmless?

    \b
      [bold]solon eval hhh --data 438HHHEvaluations.jsonl --model ./my-model[/bold]

    The model chooses by how likely it finds each option. Each question is asked in several orders, and probabilities
    are averaged. Temperature 0 takes the likeliest option, temperature 1 draws one.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    _evaluate(context, data, kept, model, engine, orders, limit, seed, settings, as_json)


def harm_or_ethical(
    context: typer.Context,
    data: options.Data,
    model: options.Model,
    engine: Engine = "local",
    orders: Orders = ORDERS,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Was an assistant harmful, or did it behave ethically?

    \b
      [bold]solon eval harm-or-ethical --data HarmfulVsEthical.jsonl --model ./my-model[/bold]

    In the published file the order of the two options never varies; here each question is asked in both.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    _evaluate(context, data, kept, model, engine, orders, limit, seed, settings, as_json)


def harm_type(
    context: typer.Context,
    data: options.Data,
    model: options.Model,
    engine: Engine = "local",
    orders: Orders = ORDERS,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    run: keeping.Run = None,
    name: keeping.Name = None,
    replace: keeping.Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """In which of nine ways was a conversation harmful?

    \b
      [bold]solon eval harm-type --data HarmfulnessClassification.jsonl --model ./my-model[/bold]

    In the published file the order of the nine options never varies; here each question is also asked in drawn ones.
    """
    kept = keeping.Keeping(run=run, name=name, replace=replace, model=model)
    _evaluate(context, data, kept, model, engine, orders, limit, seed, settings, as_json)


def _evaluate(
    context: typer.Context,
    data: Path,
    kept: keeping.Keeping,
    model: str,
    engine: str,
    orders: int,
    limit: int | None,
    seed: int,
    settings: list[str] | None,
    as_json: bool,
) -> None:
    if kept.of_run:
        section = ChoicesSection(data=str(data), limit=limit, orders=orders)
        kept.ask(context, str(context.info_name), section, as_json=as_json)
        return
    questions = spread(read_questions(data), limit)
    given = opened(model, engine, settings, seed=seed)
    result = ask(questions, given.model, chat=given.chat, orders=orders, seed=seed)
    if as_json:
        print_json(result)
    else:
        _print(str(data), result)


def _print(title: str, result: Choices) -> None:
    rows = [
        ("accuracy at temperature 0", *share(result.accuracy)),
        ("accuracy at temperature 1", *share(result.sampled_accuracy)),
        ("at temperature 0, in the published order alone", *share(result.accuracy_as_published)),
        *((f"  {name}, {own.n}", *share(own.accuracy)) for name, own in result.classes.items()),
    ]
    title = f"{title}: {result.n} questions, in {result.orders} orders"
    print_table(title, ["measure"], ["value", "95% interval"], rows)
    typer.echo(f"the option shown first was chosen: {percent(result.first_place)}")
    for reason, count in result.unscored_by_reason.items():
        typer.echo(f"left out, {reason}: {count}")
