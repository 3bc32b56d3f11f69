"""The lottery of pairs, and whether ratings hold what they promise: many arenas of judges whose taste is known.

Every bound is that of a binomial distribution at 0.1%, fixed before anything was drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from arena_coverage import CHECK_SHARE, EACH, MODELS, Arena
from scipy.stats import binom

from solon.evals.arena import OBJECTIVES, Ballot, standings
from solon.evals.elo import Player
from solon.web.arena.choosing import draw_pair, pairs_of
from solon.web.db.arenas import Written, pair_of

Played = list[tuple[Arena, list[Ballot]]]
ARENAS, JUDGES = 20, 40
FREE = ARENAS * len(OBJECTIVES) * (len(MODELS) - 1)
"""Ratings that are free: those of one objective have a fixed mean."""
CHANCE = 0.001
THREE = tuple(enumerate("xyz"))


@pytest.fixture(scope="module")
def played() -> Played:
    arenas = [Arena(seed, judges=JUDGES) for seed in range(1000, 1000 + ARENAS)]
    return [(arena, arena.ballots()) for arena in arenas]


def test_intervals_hold_the_truth_and_are_no_wider_than_that_takes(played: Played) -> None:
    """Promised are 90% to 99%. Intervals that hold 99%, cut to half their width, hold 80% (a normal distribution)."""
    found = list(_rated(played))
    whole = sum(_holds(row, true, 1.0) for true, row in found) / len(found)
    half = sum(_holds(row, true, 0.5) for true, row in found) / len(found)
    assert whole >= binom.ppf(CHANCE, FREE, 0.90) / FREE
    assert half <= binom.ppf(1 - CHANCE, FREE, 0.80) / FREE


def _rated(played: Played) -> Iterator[tuple[float, Player]]:
    """Every rating, and the true one."""
    for arena, ballots in played:
        for one in standings(ballots).objectives:
            assert one.elo
            yield from ((arena.true[one.objective][row.player], row) for row in one.elo.rows)


def _holds(row: Player, true: float, share: float) -> bool:
    """share: of the width."""
    assert row.low is not None and row.high is not None
    return share * (row.low - row.rating) <= true - row.rating <= share * (row.high - row.rating)


def test_nobody_sees_a_pair_twice_and_models_meet_alike_often(played: Played) -> None:
    for arena, ballots in played:
        seen = Counter((one.judge, *one.pair, one.sound is None) for one in ballots)
        assert set(seen.values()) == {1} and len(ballots) == arena.judges * EACH
        met = Counter(frozenset((one.a, one.b)) for one in ballots if one.sound is None)
        assert len(met) == 6 and max(met.values()) - min(met.values()) <= 0.2 * max(met.values())


def test_sides_are_a_fair_coin_and_checks_have_their_share(played: Played) -> None:
    ballots = [one for _, some in played for one in some]
    games = [one for one in ballots if one.sound is None]
    for count, of, share in (
        (sum(one.a < one.b for one in games), len(games), 0.5),
        (len(ballots) - len(games), len(ballots), CHECK_SHARE),
    ):
        assert binom.ppf(CHANCE, of, share) <= count <= binom.ppf(1 - CHANCE, of, share)


def test_pairs_come_as_often_as_their_chance_says() -> None:
    """Three models on two prompts, and a check. x and y met once: of the six pairs the four others go first, in three
    quarters of the draws that are no checks, and the pair that was shown is among the rest."""
    written = [
        Written(prompt, 10 * prompt + at, model, False, f"{prompt}{model}") for prompt in (1, 2) for at, model in THREE
    ]
    pairs = pairs_of([*written, Written(1, 99, "x", True, "?")])
    shown, draws = {pair_of(10, 11): 1}, 2000
    drawn = [draw_pair(pairs, shown, set(), check_share=0.1, seed=seed, judge=1) for seed in range(draws)]
    kept = {pair_of(one.a, one.b): one.chance for one in drawn if one}
    behind = 0.9 * 0.25 / 6
    expected = dict.fromkeys((one.ids for one in pairs), behind + 0.9 * 0.75 / 4)
    expected |= {pair_of(10, 11): behind, pair_of(20, 21): behind, pair_of(10, 99): 0.1}
    assert kept == pytest.approx(expected) and sum(kept.values()) == pytest.approx(1.0)
    count = Counter(pair_of(one.a, one.b) for one in drawn if one)
    for ids, chance in expected.items():
        assert binom.ppf(CHANCE, draws, chance) <= count[ids] <= binom.ppf(1 - CHANCE, draws, chance)
