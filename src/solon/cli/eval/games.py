"""`solon eval games`: models answer the same prompts, and a judge says who is better."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from solon.artifacts.atomic import storage_errors, write_atomic
from solon.artifacts.shards import encode_rows
from solon.cli.eval import options
from solon.cli.faults import say_note
from solon.cli.opening import Engine, brought, one_model, open_one
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings, refuse_option
from solon.data.examples import read_red_team
from solon.errors import EngineUnavailableError, UserError
from solon.evals.tasks import spread

if TYPE_CHECKING:
    from solon.config.run import RunConfig
    from solon.feedback.games import Game
    from solon.feedback.rows import Rows
    from solon.records import Prompt

_NAMED = re.compile(r"(?P<name>[\w.@-]+)=(?P<model>.+)")
_ENDS = ("a", "b", "tie", "unscored")


def games(
    prompts: Annotated[Path, Option(metavar="FILE", help="Prompts in any form that a run reads.")],
    models: Annotated[
        list[str],
        Option("--model", metavar="[NAME=]MODEL", help="A player, as a run file names it. Twice, or more often."),
    ],
    judge: Annotated[str, Option(metavar="MODEL", help="The model that judges.")],
    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", callback=refuse_option, help="The games, a .jsonl file.")
    ] = Path("games.jsonl"),
    constitution: Annotated[
        str | None, Option(metavar="FILE", help="What the judge goes by, as a run file names it.")
    ] = None,
    engine: Engine = "local",
    judge_engine: Annotated[str, Option(metavar="NAME", help="What runs the judge.")] = "local",
    temperature: options.Temperature = 0.0,
    limit: options.Limit = None,
    seed: options.Seed = 0,
    settings: Settings = None,
    as_json: JsonInstead = False,
) -> None:
    """Games between models: whose answers does a judge find better?

    \b
      [bold]solon eval games --prompts red.jsonl --model before=./a --model after=./b --judge ./c -o games.jsonl[/bold]
      [bold]solon elo games.jsonl[/bold]

    Every model answers every prompt, and the judge compares every two answers in both orders, by a principle of the
    constitution. Who is better in both orders wins; if that depends on the order, and if the texts are the same, it is
    a tie. Verdicts that cannot be read are unscored. `solon elo` reads the rows as they are.
    """
    players = _players(models)
    goes_by = {"constitution.path": constitution, "judge.orders": "both"}
    by = one_model(judge, judge_engine, settings or (), seed=seed, more=goes_by)
    examples, reading = read_red_team(prompts)
    opened = {name: one_model(model, engine, settings or (), seed=seed) for name, model in players.items()}
    tell = None if as_json else say_note
    opened, by = {name: brought(config, tell) for name, config in opened.items()}, brought(by, tell)
    rows = _played([one.prompt for one in spread(examples, limit)], opened, by, temperature)
    judged_by = next((name for name, model in players.items() if (model, engine) == (judge, judge_engine)), judge)
    told = [
        row if row.winner is None or not row.p_a else row.model_copy(update={"judge": judged_by})
        for row in rows.records
    ]
    rows.dropped += reading.left_out()
    with storage_errors(output.parent):
        write_atomic(output, encode_rows(told))
    _print(output, rows, as_json=as_json)


def _players(models: Sequence[str]) -> dict[str, str]:
    """By name; a model without one is called as it is."""
    named = [(one, _NAMED.fullmatch(one)) for one in models]
    found = {match["name"] if match else one: match["model"] if match else one for one, match in named}
    if len(found) < max(2, len(models)):
        raise UserError("a game needs two players, and no two of one name", hint="--model NAME=MODEL, twice or more")
    return found


def _played(prompts: Sequence[Prompt], players: dict[str, RunConfig], by: RunConfig, temperature: float) -> Rows[Game]:
    """Models are loaded one after another."""
    from solon.feedback.answers import respond
    from solon.feedback.games import matches, play
    from solon.pipeline.inputs import RunInputs
    from solon.pipeline.judging import referee_of

    answers: dict[str, dict[str, str]] = {}
    lost: Counter[str] = Counter()
    for name, config in players.items():
        actor = open_one(config)
        how = actor.actors.settled.sampling.answers.model_copy(update={"temperature": temperature})
        given = respond(prompts, actor.sampler("games", how))
        answers[name] = {one.prompt_id: one.text for one in given.records}
        lost.update({f"prompts that {name} did not answer, {reason}": count for reason, count in given.dropped.items()})
    actor = open_one(by)
    asked_by = referee_of(RunInputs(actor.actors.settled), actor)
    rows = play(list(matches(answers)), {one.id: one for one in prompts}, asked_by)
    if not rows.records:
        raise EngineUnavailableError(f"no game was played ({dict(lost + rows.dropped)})", hint="see to the models")
    rows.dropped += lost
    return rows


def _print(output: Path, rows: Rows[Game], *, as_json: bool) -> None:
    ends: dict[tuple[str, str], Counter[str]] = {
        (a, b): Counter(one.winner or "unscored" for one in rows.records if (one.a, one.b) == (a, b))
        for a, b in dict.fromkeys((one.a, one.b) for one in rows.records)
    }
    if as_json:
        table = [{"players": players, **{name: of[name] for name in _ENDS}} for players, of in ends.items()]
        typer.echo(json.dumps({"file": str(output), "games": table, "left_out": dict(rows.dropped)}))
        return
    cells = [(a, b, *(str(of[name]) for name in _ENDS)) for (a, b), of in ends.items()]
    print_table(str(output), ["a", "b"], ["a wins", "b wins", "ties", "unscored"], cells)
    for reason, count in rows.dropped.items():
        typer.echo(f"left out, {reason}: {count}")
