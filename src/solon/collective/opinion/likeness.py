"""How alike two groupings of the same points are. Labels count from 0."""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Ints


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
