from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.collective.opinion.counts import Counts, between_groups, mean_votes, overall, split

cells = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 30))


def counts(*groups: tuple[int, int, int]) -> Counts:
    """One statement: (agrees, disagrees, passes) of each group."""
    table = np.array(groups, dtype=np.int64)
    return Counts(agrees=table[:, :1], disagrees=table[:, 1:2], seen=table.sum(axis=1, keepdims=True))


def test_worked_examples() -> None:
    assert mean_votes(counts((3, 0, 1)))[0, 0] == 0.5
    assert between_groups(counts((8, 0, 0), (0, 8, 0)))[0] == pytest.approx(0.8)
    assert split(counts((3, 1, 0)))[0] == 0.75
    assert overall(np.array([0.2, 0.8]), np.array([30, 10])) == pytest.approx(0.35)


def test_the_two_most_distant_groups_count_whatever_the_others() -> None:
    assert between_groups(counts((8, 0, 0), (1, 1, 6), (0, 8, 0)))[0] == pytest.approx(0.8)


def test_a_group_without_votes_is_left_out() -> None:
    assert between_groups(counts((8, 0, 0), (0, 0, 0)))[0] == 0
    assert between_groups(counts((8, 0, 0), (0, 0, 0), (8, 0, 0)))[0] == 0
    assert between_groups(counts((0, 0, 0)))[0] == 0


def test_groups_that_split_alike_are_split_but_not_polarised() -> None:
    alike = counts((10, 10, 0), (10, 10, 0))
    assert between_groups(alike)[0] == 0 and split(alike)[0] == 1


def test_few_votes_say_little_and_many_say_nearly_all() -> None:
    assert between_groups(counts((1, 0, 0), (0, 1, 0)))[0] == pytest.approx(1 / 3)
    assert 0.99 < between_groups(counts((500, 0, 0), (0, 500, 0)))[0] < 1


@given(st.lists(cells, min_size=1, max_size=5))
def test_both_lie_between_0_and_1_and_ignore_the_order_of_groups_and_the_sign(
    groups: list[tuple[int, int, int]],
) -> None:
    for index in (between_groups, split):
        value = index(counts(*groups))[0]
        assert 0 <= value <= 1
        assert index(counts(*groups[::-1]))[0] == pytest.approx(value)
        assert index(counts(*[(d, a, p) for a, d, p in groups]))[0] == pytest.approx(value)
