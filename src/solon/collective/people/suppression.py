"""Small counts are not published, nor are those from which they could be recomputed.

Hiding a small count alone is no use where the total is printed: more is hidden, until whoever has the published numbers
cannot narrow it down to a range shorter than the threshold. The range is computed by linear programming (Cox, 1980,
"Suppression methodology and statistical disclosure control", JASA 75).

Zero is published: that nobody said something identifies nobody. Shares and differences that follow from a hidden
count have to be left out together with it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from solon.collective.conversation import Bools, Ints
from solon.collective.kept import kept
from solon.records import Record

SLACK = 1e-7


@lru_cache(maxsize=4096)
def suppress_row(counts: tuple[int, ...], *, threshold: int, rest: int = 0) -> tuple[bool, ...]:
    """Which of several counts to hide whose total is published.

    `rest`: what the total holds beside the counts and nobody is shown, such as the votes of people in no group. It
    needs no protection, and it covers: of 3, 40 and a rest of 12, the 3 alone is hidden.

    >>> suppress_row((3, 12, 40), threshold=10), suppress_row((3, 40), rest=12, threshold=10)
    ((True, True, False), (True, False))
    """
    total_and_each = np.eye(len(counts) + 1, dtype=bool)[[-1, *range(len(counts))]]
    total_and_each[0] = True
    return _suppress(np.array([*counts, rest], dtype=np.int64), total_and_each, threshold, 1)[1:]


def suppress(counts_N: Ints, sums_QN: Bools, *, threshold: int, fixed: int = 0) -> Bools:
    """Which of Q numbers to hide, each the sum of some of N counts that nobody is shown as such.

    `sums_QN`: True where a count is part of a number. The first `fixed` numbers are known to everybody and cannot be
    hidden; where that leaves no other way, all others are. Returns [Q].

    What else to hide is the cheapest change of counts that would make a small one larger by the threshold, one small
    count after the other (Kelly, Golden and Assad, 1992, "Cell suppression", Networks 22): never less than is safe.
    """
    made_from = repr((counts_N.tolist(), sums_QN.shape, threshold, fixed)).encode() + sums_QN.tobytes()
    found = kept(Hidden, made_from, lambda: Hidden(numbers=_suppress(counts_N, sums_QN, threshold, fixed)))
    return np.array(found.numbers, dtype=bool)


class Hidden(Record):
    """Which numbers are hidden. Kept, since the solver takes longer to import than all else takes to compute."""

    numbers: tuple[bool, ...]


def _suppress(counts_N: Ints, sums_QN: Bools, threshold: int, fixed: int) -> tuple[bool, ...]:
    values_Q = sums_QN @ counts_N
    small_Q = (values_Q > 0) & (values_Q < threshold)
    small_Q[:fixed] = False
    hidden_Q = small_Q.copy()
    # The smallest first: they need most, and what protects them often protects the others.
    for at in sorted(np.flatnonzero(small_Q).tolist(), key=lambda place: (values_Q[place], place)):
        hidden_Q |= _protection(counts_N, sums_QN, hidden_Q, at, threshold, fixed)
    return tuple(hidden_Q.tolist())


def _protection(counts_N: Ints, sums_QN: Bools, hidden_Q: Bools, at: int, threshold: int, fixed: int) -> Bools:
    """The numbers to hide so that the one at `at` might be larger by the threshold, for all that is printed [Q]."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, vstack

    values_Q = sums_QN @ counts_N
    numbers = len(values_Q)
    sums = csr_array(sums_QN.astype(float))
    # Of the changes (more_N, less_N, size_Q) the least costly; size bounds what a number changes by, either way.
    slack = -csr_array(np.eye(numbers))
    bounds = vstack([hstack([sums, -sums, slack]), hstack([-sums, sums, slack])])
    target = hstack([sums[[at]], -sums[[at]], csr_array((1, numbers))])
    cost_Q = np.where(hidden_Q, 0.0, 1.0 + values_Q)
    # Nobody is hidden behind a zero: it stays zero, as do the numbers that everybody knows.
    stays_Q = ~hidden_Q & (values_Q == 0)
    stays_Q[:fixed] = True
    found = linprog(
        np.concatenate([np.zeros(2 * len(counts_N)), cost_Q]),
        A_ub=bounds,
        b_ub=np.zeros(2 * numbers),
        A_eq=target,
        b_eq=[float(threshold)],
        bounds=[(0, None)] * len(counts_N)
        + [(0, int(count)) for count in counts_N]
        + [(0, 0.0 if stays else None) for stays in stays_Q],
        method="highs",
    )
    if found.status != 0:
        everything = np.ones(numbers, dtype=bool)
        everything[:fixed] = False
        return everything
    return np.asarray(found.x[-numbers:] > SLACK) & ~hidden_Q
