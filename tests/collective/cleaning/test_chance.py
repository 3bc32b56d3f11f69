"""Probabilities of patterns, against enumeration."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from solon.collective.cleaning.rules import at_least, longest_run, run_chance


@pytest.mark.parametrize("count", range(6))
def test_at_least_so_many_successes_by_enumeration(count: int) -> None:
    chances = np.array([0.1, 0.5, 0.7, 0.9, 1.0])
    total = 0.0
    for outcome in product([0, 1], repeat=5):
        if sum(outcome) >= count:
            total += float(np.prod(np.where(outcome, chances, 1 - chances)))
    assert at_least(count, chances) == pytest.approx(total)


def test_no_trial_at_all() -> None:
    assert at_least(0, np.array([])) == 1


@pytest.mark.parametrize(("run", "count", "votes"), [(2, 3, 6), (3, 3, 6), (4, 5, 7), (2, 2, 4), (3, 5, 7)])
def test_the_bound_on_runs_holds_and_is_exact_for_the_longest(run: int, count: int, votes: int) -> None:
    orders = set(permutations([1] * count + [0] * (votes - count)))
    long = sum("1" * run in "".join(map(str, order)) for order in orders) / len(orders)
    bound = run_chance(run, count, votes)
    assert long <= bound + 1e-12
    if run == count:
        assert bound == pytest.approx(long)


def test_longest_run() -> None:
    assert longest_run(np.array([1], dtype=np.int8)) == (1, 1)
    assert longest_run(np.array([1, 1, -1, -1], dtype=np.int8)) == (2, 1)
    assert longest_run(np.array([0, 1, -1, -1, -1], dtype=np.int8)) == (3, -1)
