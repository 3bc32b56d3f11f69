"""How alike two groupings of the same people are. Labels count from 0."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from solon.collective.conversation import Conversation, Ints
from solon.collective.opinion.counts import IN_NO_GROUP, count_votes
from solon.errors import InputError
from solon.records import Record

MOST_PERMUTED = 6
"""Groups that are paired by trying every way; more are left to a solver, which takes long to import."""


def shared_counts(ours_N: Ints, theirs_N: Ints) -> Ints:
    """How many points have each label of ours and each of theirs together [K, L]."""
    shape = int(ours_N.max()) + 1, int(theirs_N.max()) + 1
    pairs = np.bincount(ours_N * shape[1] + theirs_N, minlength=shape[0] * shape[1])
    return np.asarray(pairs.reshape(shape), dtype=np.int64)


def adjusted_rand_index(ours_N: Ints, theirs_N: Ints) -> float:
    """How alike two groupings of the same points are (Hubert and Arabie 1985): 1 the same, 0 as alike as by lot.

    Pairs of points that are together in both, adjusted for chance.

    >>> adjusted_rand_index(np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0]))
    1.0
    """
    shared = shared_counts(ours_N, theirs_N)
    both, ours, theirs = (
        int((sums * (sums - 1) // 2).sum()) for sums in (shared, shared.sum(axis=1), shared.sum(axis=0))
    )
    pairs = len(ours_N) * (len(ours_N) - 1) // 2
    expected, most = ours * theirs, (ours + theirs) * pairs / 2
    return 1.0 if most == expected else float((both * pairs - expected) / (most - expected))


class Likeness(Record):
    """Two groupings of the same people."""

    people: int
    """In a group both times."""
    likeness: float
    """Adjusted Rand index: 1 the same groups, 0 as alike as chance."""
    kept_share: float
    """Share of people who keep their group, groups being paired as well as can be."""
    change_max: float | None = None
    """Largest change of a group's consensus on a statement; None if the numbers of groups differ."""
    change_mean: float | None = None
    """Mean over groups and statements."""


def compare(conversation: Conversation, ours_P: Ints, theirs_P: Ints, *, smoothing: bool = True) -> Likeness:
    """Two labellings of the participants; those who are in no group in either are left out."""
    both = (ours_P != IN_NO_GROUP) & (theirs_P != IN_NO_GROUP)
    if not both.any():
        raise InputError("nobody is in a group both times")
    ours, theirs = ours_P[both], theirs_P[both]
    shared = shared_counts(ours, theirs)
    rows, columns = paired(shared)
    change = np.zeros(0)
    if shared.shape[0] == shared.shape[1] and shared.any(axis=0).all() and shared.any(axis=1).all():
        votes_PS, seen_PS = conversation.votes_PS[both], conversation.seen_PS[both]
        ours_KS, theirs_KS = (
            count_votes(votes_PS, seen_PS, labels).agreement(smoothing=smoothing) for labels in (ours, theirs)
        )
        change = np.abs(ours_KS - theirs_KS[columns])
        change = change[~np.isnan(change)]
    return Likeness(
        people=len(ours),
        likeness=adjusted_rand_index(ours, theirs),
        kept_share=float(shared[rows, columns].sum() / len(ours)),
        change_max=float(change.max()) if len(change) else None,
        change_mean=float(change.mean()) if len(change) else None,
    )


def paired(shared_KL: Ints) -> tuple[Ints, Ints]:
    """Rows and columns of the pairs of groups that have most people in common, ascending by row.

    >>> [part.tolist() for part in paired(np.array([[3, 5], [0, 4]]))]
    [[0, 1], [0, 1]]
    """
    rows, columns = shared_KL.shape
    if rows > columns:
        paired_columns, paired_rows = paired(shared_KL.T)
        order = np.argsort(paired_rows)
        return paired_rows[order], paired_columns[order]
    if columns > MOST_PERMUTED:
        from scipy.optimize import linear_sum_assignment

        found: tuple[Ints, Ints] = linear_sum_assignment(-shared_KL)
        return found
    at = np.arange(rows)
    best = max(permutations(range(columns), rows), key=lambda one: int(shared_KL[at, list(one)].sum()))
    return at, np.array(best, dtype=np.int64)
