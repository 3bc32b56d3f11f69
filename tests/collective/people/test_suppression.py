"""Small counts are hidden, and nobody can work them out from what is printed."""

from __future__ import annotations

import numpy as np
import pytest

from collective.people.tables import known_range, suppress_table
from solon.collective.people.suppression import suppress


def margins_of(rows: int, columns: int) -> np.ndarray:
    """Every cell, row total, column total and the grand total, as sums of cells."""
    places = np.arange(rows * columns).reshape(rows, columns)
    sums = [np.isin(np.arange(rows * columns), [place]) for place in range(rows * columns)]
    sums += [np.isin(np.arange(rows * columns), row) for row in places]
    sums += [np.isin(np.arange(rows * columns), column) for column in places.T]
    return np.array([*sums, np.ones(rows * columns, dtype=bool)])


def test_a_small_cell_takes_a_second_one_with_it() -> None:
    hidden = suppress_table(np.array([[3, 12, 40]]), threshold=10)
    assert hidden.cells_RC.tolist() == [[True, True, False]]
    assert not hidden.rows_R.any() and not hidden.total


def test_nothing_is_hidden_of_large_counts_and_zeros() -> None:
    hidden = suppress_table(np.array([[0, 12, 40], [10, 0, 99]]), threshold=10)
    assert not hidden.cells_RC.any() and not hidden.rows_R.any() and not hidden.columns_C.any()


def test_in_a_table_a_rectangle_is_hidden() -> None:
    """One small cell needs another in its row, another in its column, and the fourth corner."""
    hidden = suppress_table(np.array([[4, 30, 50], [30, 40, 60], [50, 60, 70]]), threshold=10).cells_RC
    assert hidden[0, 0] and hidden[0].sum() >= 2 and hidden[:, 0].sum() >= 2 and hidden.sum() == 4


@pytest.mark.parametrize("seed", range(20))
def test_no_small_count_can_be_narrowed_below_the_threshold(seed: int) -> None:
    """Law, by linear programming from what is printed alone: cells, row totals, column totals, grand total."""
    draws = np.random.default_rng(seed)
    rows, columns = int(draws.integers(1, 5)), int(draws.integers(2, 6))
    counts = draws.choice([0, 1, 3, 7, 12, 25, 60, 200], size=(rows, columns))
    found = suppress_table(counts, threshold=10)
    hidden = np.concatenate([found.cells_RC.ravel(), found.rows_R, found.columns_C, [found.total]])
    sums = margins_of(rows, columns)
    values = sums @ counts.ravel()
    for at in np.flatnonzero((values > 0) & (values < 10)):
        assert hidden[at]
        low, high = known_range(counts.ravel(), sums, hidden, int(at))
        assert low <= values[at] <= high and high - low >= 10 - 1e-6, (counts, at, low, high)
    assert not hidden[values == 0].any()


def test_where_everybody_knows_the_total_all_else_may_have_to_go() -> None:
    counts = np.array([3, 4])
    sums = np.array([[True, True], [True, False], [False, True]])
    assert suppress(counts, sums, threshold=10, fixed=1).tolist() == [False, True, True]


def test_an_empty_table() -> None:
    assert suppress_table(np.zeros((1, 3), dtype=np.int64), threshold=10).cells_RC.tolist() == [[False] * 3]
