"""Elo ratings of snapshots of training, by comparisons of their answers to the same prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

from solon.evals.elo import Player, Winner, elo
from solon.evals.seeds import half_over_seeds
from solon.evals.statistics import Interval
from solon.records import Prompt

Answers = Mapping[str, Mapping[int, Mapping[str, str]]]
"""Texts by player, seed and prompt. A player is of one league with itself under other seeds."""
Referee = Callable[[Prompt, str, str], Winner]
Prompts = Mapping[int, Mapping[str, Prompt]]
Played = Mapping[int, list[tuple[str, tuple[str, str, Winner]]]]
"""Games of each seed, with their prompts."""
RESAMPLES = 500
OPEN = 2000.0
"""Elo: odds of 100,000 to 1, which stand for an interval without an end."""


def play(answers: Answers, prompts: Prompts, referee: Referee, kinds: tuple[str, ...]) -> Played:
    """Every two players, on every prompt of these kinds that both answered.

    Two more prompts count in each seed that has any: one in which the first of every two wins, and one in which the
    second does. So every rating is bounded, and answers that always tie are no certainty that players are equal.
    """
    found: dict[int, list[tuple[str, tuple[str, str, Winner]]]] = {}
    for one, two in combinations(answers, 2):
        for seed in answers[one].keys() & answers[two].keys():
            first, second = answers[one][seed], answers[two][seed]
            for name in first:
                prompt = prompts[seed][name]
                if name in second and prompt.kind in kinds:
                    game = (one, two, referee(prompt, first[name], second[name]))
                    found.setdefault(seed, []).append((name, game))
    return {seed: [*own, *_both_ways({game[:2] for _, game in own})] for seed, own in sorted(found.items())}


def _both_ways(pairs: set[tuple[str, str]]) -> list[tuple[str, tuple[str, str, Winner]]]:
    """The games of the two more prompts."""
    ways: tuple[tuple[str, Winner], ...] = (("first", "a"), ("second", "b"))
    return [(name, (*pair, winner)) for name, winner in ways for pair in sorted(pairs)]


def asked(played: Played) -> int:
    """Prompts of all seeds, without the two more of each."""
    return sum(len({name for name, _ in own}) - 2 for own in played.values())


def ratings(played: Played, anchor: str) -> dict[str, Interval]:
    """Of every player, relative to the anchor, which has 0.

    The interval is the wider of two: a bootstrap over prompts of all games together, and Student's t over the seeds'
    own ratings. An end that no game bounds is `OPEN` away.
    """
    games = [game for own in played.values() for _, game in own]
    groups = [(seed, name) for seed, own in played.items() for name, _ in own]
    whole = elo(games, anchor=(anchor, 0.0), groups=groups, resamples=RESAMPLES)
    by_seed = {
        seed: {row.player: row.rating for row in elo([game for _, game in own], anchor=(anchor, 0.0), resamples=1).rows}
        for seed, own in played.items()
    }
    return {
        row.player: _interval(row, [own[row.player] for own in by_seed.values() if row.player in own])
        for row in whole.rows
    }


def _interval(row: Player, seeds: list[float]) -> Interval:
    half = half_over_seeds(seeds)
    low = row.rating - OPEN if row.low is None else row.low
    high = row.rating + OPEN if row.high is None else row.high
    return Interval(value=row.rating, low=min(low, row.rating - half), high=max(high, row.rating + half))
