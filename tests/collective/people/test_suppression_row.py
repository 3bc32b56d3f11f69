"""Counts with a published total, and what nobody is shown besides: hidden as any table is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from collective.people.tables import known_range
from solon.collective.people.suppression import suppress_row

SMALL = 10


def hidden(counts: list[int], rest: int = 0) -> tuple[bool, ...]:
    return suppress_row(tuple(counts), rest=rest, threshold=SMALL)


def test_worked_by_hand() -> None:
    assert hidden([40, 3, 12]) == (False, True, True)  # 3 alone would be the sum less 52
    assert hidden([40, 6, 7]) == (True, True, True)  # 6 could be 13 at most
    assert hidden([40, 0, 12]) == (False, False, False)  # nobody is nobody
    assert hidden([12, 5]) == (True, True)
    assert hidden([]) == ()


def test_what_is_in_no_group_needs_no_protection_and_covers() -> None:
    assert hidden([40, 30], rest=3) == (False, False)
    assert hidden([40, 3], rest=12) == (False, True)  # 3 could be 15
    assert hidden([40, 3], rest=6) == (True, True)  # 3 could be 9 at most
    assert hidden([40, 6, 7], rest=4) == (False, True, True)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=5), st.integers(0, 30))
def test_no_small_count_can_be_narrowed_below_the_threshold(counts: list[int], rest: int) -> None:
    """The attack: all that agrees with what is published, by linear programming."""
    hide = hidden(counts, rest)
    sums = np.vstack([np.ones(len(counts) + 1, dtype=bool), np.eye(len(counts) + 1, dtype=bool)[: len(counts)]])
    everything = all(hide)
    for at, count in enumerate(counts):
        if 0 < count < SMALL:
            assert hide[at]
            low, high = known_range(np.array([*counts, rest]), sums, np.array([False, *hide]), at + 1)
            assert everything or high - low >= SMALL
