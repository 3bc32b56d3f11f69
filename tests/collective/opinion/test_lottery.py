"""The lottery of statements: chances that are known, never zero, and drawn as they are said to be."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.collective.opinion.lottery import FIRST, chances, draw


@given(
    st.lists(st.tuples(st.floats(0, 1e6, allow_subnormal=False), st.booleans()), min_size=1, max_size=30),
    st.floats(0, 0.99),
)
def test_every_statement_has_a_chance_and_they_sum_to_one(rows: list[tuple[float, bool]], share: float) -> None:
    weights, first = np.array([one for one, _ in rows]), np.array([one for _, one in rows])
    found = chances(weights, first, share)
    assert found.sum() == pytest.approx(1) and (found > 0).all()
    if first.any():
        assert found[first].sum() >= share - 1e-9


def test_first_ones_have_their_share_of_the_draws() -> None:
    found = chances(np.array([1.0, 3.0, 0.0, 4.0]), np.array([True, True, False, False]))
    # Alone 1/4 and 3/4 of the first share; among all 1/9, 3/9, 1/9 (a weight of 0 counts as 1), 4/9.
    rest = 1 - FIRST
    assert found.tolist() == pytest.approx([FIRST / 4 + rest / 9, FIRST * 3 / 4 + rest / 3, rest / 9, rest * 4 / 9])


def test_draws_follow_the_chances() -> None:
    found = chances(np.array([1.0, 2.0, 5.0]), np.zeros(3, dtype=bool))
    drawn = Counter(draw(found, 7, "somebody", nth) for nth in range(4000))
    assert [drawn[at] / 4000 for at in range(3)] == pytest.approx([1 / 8, 2 / 8, 5 / 8], abs=0.03)


def test_the_same_seed_draws_the_same() -> None:
    found = chances(np.ones(50), np.zeros(50, dtype=bool))
    assert [draw(found, 7, 1, nth) for nth in range(9)] == [draw(found, 7, 1, nth) for nth in range(9)]
    assert [draw(found, 7, 1, nth) for nth in range(9)] != [draw(found, 8, 1, nth) for nth in range(9)]
