from __future__ import annotations

import doctest
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solon.collective.opinion.counts import Counts
from solon.collective.opinion.polis import routing as module
from solon.collective.opinion.polis.routing import draw, extremity, importance, priority, probabilities


def counts(agrees: int, disagrees: int, passes: int) -> Counts:
    """One statement, all votes split over two groups."""
    halves = [[agrees - agrees // 2], [agrees // 2]], [[disagrees], [0]], [[agrees - agrees // 2 + disagrees]]
    return Counts(
        agrees=np.array(halves[0]),
        disagrees=np.array(halves[1]),
        seen=np.array([halves[2][0], [agrees // 2 + passes]]),
    )


def test_worked_examples() -> None:
    assert doctest.testmod(module).failed == 0
    assert extremity(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [5, 0]
    # (1 - 2/10) · 2 · 7/10
    assert importance(counts(6, 1, 1), np.array([1.0]))[0] == pytest.approx(1.12)
    # 8 votes: (1.12 · (1 + 8 · 2^(-8/5)))²
    assert priority(counts(6, 1, 1), np.array([1.0]), np.array([False]))[0] == pytest.approx(
        (1.12 * (1 + 8 * 2**-1.6)) ** 2
    )


def test_a_new_statement_goes_first_and_meta_is_constant() -> None:
    new = priority(counts(0, 0, 0), np.array([0.0]), np.array([False]))
    assert new[0] == pytest.approx((0.25 * 9) ** 2)
    assert priority(counts(6, 1, 1), np.array([1.0]), np.array([True]))[0] == 49


@pytest.mark.parametrize(("better", "worse"), [((9, 0, 1), (5, 4, 1)), ((6, 2, 0), (6, 0, 2))])
def test_agreement_raises_priority_and_passing_lowers_it(
    better: tuple[int, int, int], worse: tuple[int, int, int]
) -> None:
    one, none = np.array([1.0]), np.array([False])
    assert priority(counts(*better), one, none)[0] > priority(counts(*worse), one, none)[0]


def test_extremity_and_few_votes_raise_priority() -> None:
    none = np.array([False])
    assert priority(counts(6, 1, 1), np.array([2.0]), none) > priority(counts(6, 1, 1), np.array([1.0]), none)
    assert priority(counts(6, 1, 1), np.array([1.0]), none) > priority(counts(60, 10, 10), np.array([1.0]), none)


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), min_size=1, max_size=12))
@settings(deadline=None)
def test_probabilities_sum_to_one_over_what_is_open(rows: list[tuple[float, bool]]) -> None:
    chances = probabilities(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))
    assert all((chance > 0) == row[1] or row[0] < 1e-300 for chance, row in zip(chances, rows, strict=True))
    assert chances.sum() == pytest.approx(1 if any(row[1] for row in rows) else 0)


def test_a_cap_takes_the_first_that_are_open() -> None:
    weights, open_statements = np.ones(5), np.array([False, True, True, True, False])
    assert probabilities(weights, open_statements, first=2).tolist() == [0, 0.5, 0.5, 0, 0]


def test_the_lottery_draws_by_its_probabilities_and_logs_them() -> None:
    ids, chances = np.array([4, 7, 9]), np.array([0.2, 0.0, 0.8])
    draws = [draw(ids, chances, seed=1, participant=person, votes_cast=0) for person in range(3000)]
    assert all(one is not None and one.eligible == 2 for one in draws)
    seen = Counter(one.comment_id for one in draws if one)
    assert set(seen) == {4, 9} and abs(seen[4] / 3000 - 0.2) < 0.03  # four standard errors
    assert {one.comment_id: one.probability for one in draws if one} == {4: 0.2, 9: 0.8}


def test_the_same_seed_draws_the_same() -> None:
    ids, chances = np.arange(50), np.full(50, 0.02)
    one = [draw(ids, chances, seed=3, participant=8, votes_cast=n) for n in range(20)]
    assert one == [draw(ids, chances, seed=3, participant=8, votes_cast=n) for n in range(20)]
    assert one != [draw(ids, chances, seed=4, participant=8, votes_cast=n) for n in range(20)]
    assert draw(ids, np.zeros(50), seed=3, participant=8, votes_cast=0) is None
