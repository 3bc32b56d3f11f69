"""k-means whose starting centres are drawn as scikit-learn 1.2.2 drew them, on whichever release is installed.

The published groups were made with `KMeans(k, random_state=0)` of scikit-learn 1.2.2: ten starts by greedy k-means++,
the best kept. Release 1.3 changed how the first centre is drawn, so the same call gives other groups today. Here the
draws are made as they were then, from NumPy's `RandomState`, whose streams are frozen; the iterations are
scikit-learn's. On the study's data all 1,002 published groups follow, 619 and 383 people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Floats, Ints
from solon.collective.numerics import as_numpy_takes_it

STARTS = 10
"""scikit-learn's default until release 1.3."""


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """N points in k clusters of D dimensions."""

    labels_N: Ints
    centres_KD: Floats
    inertia: float
    """Sum of squared distances to the own centre."""


def k_means(points_ND: Floats, k: int, *, seed: int = 0, starts: int = STARTS) -> Clusters:
    """The best of `starts` runs of Lloyd's algorithm. `k` must not exceed the number of distinct points."""
    from sklearn.cluster import KMeans

    draws = np.random.RandomState(as_numpy_takes_it(seed))
    mean_D = points_ND.mean(axis=0)
    centred_ND = points_ND - mean_D
    best = None
    for _ in range(starts):
        run = KMeans(k, init=starting_centres(centred_ND, k, draws), n_init=1).fit(centred_ND)
        if best is None or run.inertia_ < best.inertia_:
            best = run
    assert best is not None, "at least one start"
    return Clusters(
        labels_N=np.asarray(best.labels_, dtype=np.int64),
        centres_KD=np.asarray(best.cluster_centers_ + mean_D, dtype=np.float64),
        inertia=float(best.inertia_),
    )


def starting_centres(points_ND: Floats, k: int, draws: np.random.RandomState) -> Floats:
    """Greedy k-means++ (Arthur and Vassilvitskii 2007), [k, D].

    The first centre is any point. For each further one, 2 + ⌊ln k⌋ points are drawn with probability proportional to
    the squared distance to the nearest centre so far, and the one that leaves the least total distance is taken.
    """
    trials = 2 + int(np.log(k))
    chosen = [int(draws.randint(len(points_ND)))]
    nearest_N = ((points_ND - points_ND[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(1, k):
        targets_T = draws.random_sample(trials) * nearest_N.sum()
        drawn_T = np.minimum(np.searchsorted(np.cumsum(nearest_N), targets_T), len(points_ND) - 1)
        distance_TN = ((points_ND[drawn_T][:, None] - points_ND[None]) ** 2).sum(axis=2)
        left_TN = np.minimum(nearest_N, distance_TN)
        best = int(left_TN.sum(axis=1).argmin())
        chosen.append(int(drawn_T[best]))
        nearest_N = left_TN[best]
    return points_ND[chosen]
