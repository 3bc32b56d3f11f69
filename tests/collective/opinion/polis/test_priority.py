from __future__ import annotations

import doctest

import numpy as np
import pytest

from solon.collective.opinion.counts import Counts
from solon.collective.opinion.polis import representativeness as module
from solon.collective.opinion.polis.representativeness import extremity, importance, priority


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
