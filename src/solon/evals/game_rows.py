"""Games as rows of a file, e.g. as `solon eval games` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from solon.data.faults import Fields, Malformed
from solon.evals.bias import JudgedGame
from solon.evals.elo import Game, Winner
from solon.evals.published.rows import field, read_each

_WINNERS: dict[str, Winner] = {"a": "a", "b": "b", "tie": "tie"}


class GameRows(NamedTuple):
    """The games of a file, and of each what it says besides."""

    games: list[Game]
    prompts: list[str] | None
    """None: some row has none."""
    judges: list[str | None]

    def judged(self) -> list[JudgedGame]:
        """Those with a verdict whose judge is known."""
        prompts = self.prompts or [""] * len(self.games)
        return [
            JudgedGame(judge=judge, prompt=prompt, a=a, b=b, p_a={"a": 1.0, "b": 0.0, "tie": 0.5}[winner])
            for (a, b, winner), prompt, judge in zip(self.games, prompts, self.judges, strict=True)
            if judge is not None and winner is not None
        ]


def read_games(path: Path) -> GameRows:
    """Rows with the players `a` and `b`, and `winner`: `a`, `b`, `tie`, or null if there was no verdict; and perhaps
    `prompt_id` and `judge`. Raises `PromptError`."""
    columns = ("a", "b", "winner", "prompt_id", "judge")
    rows = read_each(path, columns, lambda fields: (_game(fields), fields.get("prompt_id"), fields.get("judge")))
    prompts = [str(prompt) for _, prompt, _ in rows if prompt is not None]
    return GameRows(
        games=[game for game, *_ in rows],
        prompts=prompts if len(prompts) == len(rows) else None,
        judges=[None if judge is None else str(judge).strip() for *_, judge in rows],
    )


def _game(fields: Fields) -> Game:
    a, b = (_name(fields, name) for name in ("a", "b"))
    if a == b:
        raise Malformed(f"{a!r:.40} plays against itself", reason="a player against itself")
    value = field(fields, "winner")
    if value is None:
        return a, b, None
    given = str(value).strip().lower()
    winner = _WINNERS.get(given)
    if winner is None:
        raise Malformed(f'"winner" is {given!r:.40}, expected a, b or tie', reason="unknown winner")
    return a, b, winner


def _name(fields: Fields, column: str) -> str:
    name = field(fields, column)
    if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
        raise Malformed(f'"{column}" must be the name of a player', reason="no name of a player")
    return str(name).strip()
