"""`solon elo`: ratings from games between two."""

from __future__ import annotations

from math import isfinite, nan
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.results import print_table
from solon.cli.run_options import JsonInstead
from solon.errors import ConfigError
from solon.evals.elo import RESAMPLES, Elo, read_games
from solon.evals.elo import elo as rate_players
from solon.text import printable


def elo(
    games: Annotated[
        Path, Argument(metavar="GAMES.jsonl", help="Rows with the players `a` and `b`, and `winner`: a, b or tie.")
    ],
    anchor: Annotated[
        str | None, Option(metavar="PLAYER=RATING", help="Give one player this rating. Default: the mean is 1000.")
    ] = None,
    seed: Annotated[int, Option(min=0, metavar="N", help="Of the bootstrap.")] = 0,
    resamples: Annotated[int, Option(min=100, metavar="N", help="Of the bootstrap over games.")] = RESAMPLES,
    as_json: JsonInstead = False,
) -> None:
    """Rate players by the games between them.

    \b
      [bold]solon elo games.jsonl[/bold]
      [bold]solon elo games.jsonl --anchor base=1000 --json[/bold]

    Elo by maximum likelihood: the model of Bradley and Terry with Davidson's ties. 400 points are odds of 10 to 1. The
    order of the rows changes nothing. Players who never met, not even over others, are of different leagues. A player
    who only wins has no upper end.
    """
    result = rate_players(read_games(games), anchor=_anchor(anchor), seed=seed, resamples=resamples)
    if as_json:
        typer.echo(result.model_dump_json(indent=2))
    else:
        _print(str(games), result)


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
    for note in result.notes:
        typer.echo(printable(note))


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:.1f}"
