"""Tables with totals and small counts hidden, and what somebody can work out from what is published of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Ints
from solon.collective.people.suppression import suppress


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """What must not be printed of a table with totals. True: hide."""

    cells_RC: Bools
    rows_R: Bools
    """Row totals."""
    columns_C: Bools
    """Column totals."""
    total: bool


def suppress_table(counts_RC: Ints, *, threshold: int) -> Hidden:
    """What to hide of a table of counts whose row totals, column totals and grand total are published.

    Use it for people or votes by category and group; a list of counts with a total is a table with one row.

    Of 3, 12 and 40 with their total of 55: the 3, for it is below 10, and the 12, for 55 − 40 − 12 would give it away.

    >>> suppress_table(np.array([[3, 12, 40]]), threshold=10).cells_RC.tolist()
    [[True, True, False]]
    """
    rows, columns = counts_RC.shape
    places = np.arange(rows * columns).reshape(rows, columns)
    sums = np.zeros((rows * columns + rows + columns + 1, rows * columns), dtype=bool)
    sums[: rows * columns] = np.eye(rows * columns, dtype=bool)
    for row in range(rows):
        sums[rows * columns + row, places[row]] = True
    for column in range(columns):
        sums[rows * columns + rows + column, places[:, column]] = True
    sums[-1] = True
    hidden = suppress(np.asarray(counts_RC, dtype=np.int64).ravel(), sums, threshold=threshold)
    cells, row_totals, column_totals, total = np.split(
        hidden, [rows * columns, rows * columns + rows, rows * columns + rows + columns]
    )
    return Hidden(
        cells_RC=cells.reshape(rows, columns), rows_R=row_totals, columns_C=column_totals, total=bool(total[0])
    )


def known_range(counts_N: Ints, sums_QN: Bools, hidden_Q: Bools, at: int) -> tuple[float, float]:
    """The least and the greatest that a hidden number can be, for somebody who knows the published ones.

    >>> sums = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]], dtype=bool)
    >>> known_range(np.array([3, 12, 40]), sums, np.array([True, True, False, False]), 0)
    (0.0, 15.0)
    """
    from scipy.optimize import linprog

    published_QN = sums_QN[~hidden_Q].astype(float)
    ends = []
    for sign in (1.0, -1.0):
        found = linprog(
            sign * sums_QN[at].astype(float),
            A_eq=published_QN,
            b_eq=published_QN @ counts_N,
            bounds=(0, None),
            method="highs",
        )
        ends.append(sign * float(found.fun) if found.status == 0 else float("inf"))
    return ends[0], ends[1]
