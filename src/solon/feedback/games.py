"""Games between models: two answer the same prompt, and a judge says who is better, in both orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated

from pydantic import Field

from solon.errors import EngineError, TooLongError
from solon.evals.elo import Winner
from solon.feedback.judge import Judge
from solon.feedback.rows import Rows, note, run_rows
from solon.feedback.verdicts import Side
from solon.records import Comparison, Pair, Prompt, Record


class Game(Record):
    """A row that `solon elo` reads."""

    id: str
    prompt_id: str
    a: str
    """The player, whose answer was the pair's `a`."""
    b: str
    winner: Winner | None
    """null: unscored."""
    unscored: str | None = None
    p_a: dict[Side, float] = Field(default_factory=dict)
    """The judge's probability that the answer of `a` is better, by whose answer was shown first."""
    principle_id: str | None = None
    """null: several, or the answers are the same text."""
    judge: Annotated[str | None, Field(exclude_if=lambda judge: judge is None)] = None
    """Who judged: the player of that name if it plays, else the model. None: the run's judge, or nobody was asked."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """Two players and their answers to one prompt."""

    a: str
    b: str
    pair: Pair


def matches(answers: Mapping[str, Mapping[str, str]]) -> Iterator[Match]:
    """Every two players on every prompt that both have answered. `answers`: by player and the prompt's id."""
    for a, b in combinations(answers, 2):
        for name, text in answers[a].items():
            if name in answers[b]:
                pair = Pair(id=f"{name}.{a}-{b}", prompt_id=name, a=text, b=answers[b][name], source="players")
                yield Match(a=a, b=b, pair=pair)


def play(matches: Sequence[Match], prompts: Mapping[str, Prompt], judge: Judge) -> Rows[Game]:
    """One game for each match. The judge has to look in both orders. Equal texts are a tie, and are not shown to it."""
    rows = run_rows(_game(match, prompts[match.pair.prompt_id], judge) for match in matches)
    rows.noted.update(f"unscored: {row.unscored}" for row in rows.records if row.unscored is not None)
    return rows


async def _game(match: Match, prompt: Prompt, judge: Judge) -> Game:
    names: dict[str, object] = {"id": match.pair.id, "prompt_id": prompt.id, "a": match.a, "b": match.b}
    if match.pair.a == match.pair.b:
        note("ties of equal texts")
        return Game.model_validate(names | {"winner": "tie"})
    try:
        label = await judge.label(match.pair, prompt)
    except EngineError as error:
        return Game.model_validate(names | {"winner": None, "unscored": error.reason})
    p_a = {} if label.p_a_preferred is None else by_order(label)
    winner = winner_of(p_a)
    unscored = label.unscored or (None if winner else "no verdict in one order")
    return Game.model_validate(
        {**names, "winner": winner, "unscored": unscored, "p_a": p_a, "principle_id": label.principle_id}
    )


def verdicts(games: Iterable[Game]) -> list[str | None]:
    """Why each could not be read, None where one could; not of games that the judge had no room for."""
    return [game.unscored for game in games if game.unscored != TooLongError.reason]


def by_order(label: Comparison) -> dict[Side, float]:
    """The mean over its verdicts, or over those of the principle that decided, in each order."""
    deciding = [one for one in label.verdicts if label.principle_id in (None, one.principle_id)]
    found: dict[Side, list[float]] = {"a": [], "b": []}
    for one in deciding:
        if one.p_a_preferred is not None:
            found[one.shown_first].append(one.p_a_preferred)
    return {side: sum(values) / len(values) for side, values in found.items() if values}


def winner_of(p_a: Mapping[Side, float]) -> Winner | None:
    """Who is better in both orders; a tie, if that depends on the order. None without a verdict in each.

    Example: 0.9 when `a` is shown first and 0.6 when `b` is: `a`. 0.9 and 0.4: a tie.
    """
    if len(p_a) < 2:
        return None
    if all(p > 0.5 for p in p_a.values()):
        return "a"
    return "b" if all(p < 0.5 for p in p_a.values()) else "tie"
