"""`solon elo`: ratings from games between two, given in a file or played by the models of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.artifacts.atomic import storage_errors
from solon.artifacts.finished import require_run
from solon.cli.eval.keeping import Replace, print_and_keep
from solon.cli.faults import resumable_with, say_note
from solon.cli.labels_report import points_text
from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead, Settings
from solon.errors import ConfigError, UserError
from solon.evals.bias import self_preference_of_players
from solon.evals.elo import RESAMPLES, Elo
from solon.evals.elo import elo as rate_players
from solon.evals.game_rows import read_games
from solon.evals.people import keep_people, people, read_votes
from solon.progress import json_line, reporting
from solon.report.voted import sentence, sentences
from solon.text import printable


def elo(
    games: Annotated[
        Path,
        Argument(
            metavar="GAMES",
            help="A file of rows with the players `a` and `b`, and `winner`: a, b or tie. Or a run folder, whose judge "
            "compares the answers of its models.",
        ),
    ],
    anchor: Annotated[
        str | None, Option(metavar="PLAYER=RATING", help="Give one player this rating. Default: the mean is 1000.")
    ] = None,
    seed: Annotated[int, Option(min=0, metavar="N", help="Of the bootstrap.")] = 0,
    resamples: Annotated[int, Option(min=100, metavar="N", help="Of the bootstrap.")] = RESAMPLES,
    prompts: Annotated[
        int | None, Option("--prompts", "-n", min=0, metavar="N", help="Of a run: so many prompts. 0: all of them.")
    ] = None,
    settings: Settings = None,
    votes: Annotated[
        list[Path] | None,
        Option(
            metavar="FILE", help="Of a run: what people said in an arena, as its organiser downloads it. Repeatable."
        ),
    ] = None,
    checked: Annotated[
        bool,
        Option("--checked", help="With --votes: without people who miss more than half of the checks of attention."),
    ] = False,
    replace: Replace = False,
    as_json: JsonInstead = False,
) -> None:
    """Rate players by the games between them.

    \b
      [bold]solon elo games.jsonl[/bold]
      [bold]solon elo games.jsonl --anchor base=1000 --json[/bold]
      [bold]solon elo runs/demo -n 100[/bold]
      [bold]solon elo runs/demo --votes votes-which-answers.jsonl[/bold]

    Elo by maximum likelihood: the model of Bradley and Terry with Davidson's ties. 400 points are odds of 10 to 1. The
    order of the rows changes nothing. Players who never met, not even over others, are of different leagues. A player
    who only wins has no upper end.

    The bootstrap is over games or, where every row has `prompt_id`, over prompts. Where rows have `judge`, and some
    judges play too, their favor for their own answers is told.

    Of a run, every two answers of its models to the same held-out prompt that asks for harm are put to its judge, in
    both orders, and who is better in both wins; SL-CAI has 0. The result is kept in RUN/evaluations, where the run's
    report finds it (solon report RUN). So are the games: a command that was stopped goes on when it is given again.

    With --votes people are the judge. What they said is kept in RUN/people.json, for the report too.
    """
    if games.is_dir():
        only = {"--anchor": anchor is not None, "--seed": seed, "--resamples": resamples != RESAMPLES}
        _refuse(only, "of a run", "they are for a file of games")
        if votes:
            asked = {"--prompts": prompts is not None, "--set": settings}
            _refuse(asked, "with --votes", "they are for the run's judge")
            _by_people(games, votes, checked, replace, as_json)
        else:
            _refuse({"--checked": checked}, "without --votes", "it is for an arena's votes")
            _of_run(games, 100 if prompts is None else prompts, settings, replace, as_json)
        return
    of_run = {"--prompts": prompts is not None, "--set": settings, "--votes": votes, "--checked": checked}
    _refuse({**of_run, "--replace": replace}, "of a file of games", "they are for a run folder")
    _of_file(games, _anchor(anchor), seed, resamples, as_json)


def _of_file(games: Path, anchor: tuple[str, float] | None, seed: int, resamples: int, as_json: bool) -> None:
    rows = read_games(games)
    rated = rate_players(rows.games, groups=rows.prompts, anchor=anchor, seed=seed, resamples=resamples)
    result = rated.model_copy(update={"self_preference": self_preference_of_players(rows.judged())})
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        _print(str(games), result)


def _refuse(options: Mapping[str, object], what: str, hint: str) -> None:
    """Raises `UserError` if one of these options was given: whose value is something, or true."""
    if idle := [name for name, value in options.items() if value]:
        raise UserError(f"not {what}: {', '.join(idle)}", hint=hint)


def _of_run(run: Path, count: int, settings: list[str] | None, replace: bool, as_json: bool) -> None:
    from solon.pipeline.contest import contest

    require_run(run)
    with (
        resumable_with(run, "give the same command again"),
        storage_errors(run),
        reporting(quiet=as_json) as reporter,
    ):
        found = contest(run, settings or (), count, reporter)
    print_and_keep(run, found, replace=replace, as_json=as_json)


def _by_people(run: Path, votes: Sequence[Path], checked: bool, replace: bool, as_json: bool) -> None:
    require_run(run)
    found = people(run, read_votes(votes), votes, checked=checked)
    if as_json:
        typer.echo(json_line("people", found.model_dump(mode="json")))
    else:
        for one in found.objectives:
            if one.elo:
                _print(one.objective, one.elo)
                typer.echo(sentence(one))
        for line in sentences(found):
            typer.echo(line)
    say_note(f"kept in {keep_people(run, found, replace=replace)}")


def _anchor(given: str | None) -> tuple[str, float] | None:
    if given is None:
        return None
    player, _, rating = given.rpartition("=")
    try:
        value = float(rating)
    except ValueError:
        value = nan
    if not player.strip() or not isfinite(value):
        raise ConfigError(f"--anchor {given}: expected PLAYER=RATING", hint="e.g. --anchor base=1000")
    return player.strip(), value


def _print(title: str, result: Elo) -> None:
    rows = [
        (
            *(row.player, f"{row.rating:.1f}", _end(row.low), _end(row.high)),
            *map(str, (row.games, row.wins, row.ties, row.losses, row.league)),
        )
        for row in result.rows
    ]
    title = f"{title}: {result.games} games, {result.ties} ties; {result.anchor}"
    print_table(title, ["player"], ["rating", "low", "high", "games", "wins", "ties", "losses", "league"], rows)
    if result.unscored:
        typer.echo(f"left out, without a verdict: {result.unscored}")
    if (own := result.self_preference) is not None:
        typer.echo(f"favor of judges for their own answers: {points_text(own.excess)}, of {own.n} games")
    for note in result.notes:
        typer.echo(printable(note))


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:.1f}"
