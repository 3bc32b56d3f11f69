"""Opinion groups: who is grouped, a hundred base clusters of people, groups of base clusters, and how many groups.

Shapes: P participants, N points (people, or centres of base clusters), K clusters.

Polis starts each k-means from the first K distinct rows and depends on their order, which there is that of arrival.
`cluster` takes the rows as they come; a seed other than 0 takes them in an order drawn from it. `opinion.analysis`
brings them in an order that votes alone decide, and of several starts takes the groups that are most like all others'
(`most_alike`), so that neither ids nor one bad start decide. (The start with the least inertia finds other groups than
Polis: on one of the open conversations it sets a single person apart from everybody else. See docs/method.md.)

Quirks of Polis and what we do, all in `Recipe`:

- Its groups are iterated 20 times, where an option of another name meant 100: we iterate 100 times.
- It also keeps whoever once qualified and starts from the clusters of the last update. We see one moment and start
  cold; the change of k over updates is in `Smoother`, for whoever runs updates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.polis.nearest import Nearest
from solon.seeds import derive_seed, generator


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The numbers of the clustering. Polis's own are `POLIS`."""

    min_votes: int = 7
    """Votes from which on people are grouped; fewer where there are fewer statements."""
    min_people: int = 15
    """If fewer people qualify, the most active are added up to this many."""
    base_clusters: int = 100
    base_iterations: int = 100
    group_iterations: int = 100
    tolerance: float = 0.01
    """k-means stops when no centre moved as far as this."""
    max_groups: int = 5
    base_per_group: int = 12
    """One more group is tried for each so many base clusters."""


SOLON = Recipe()
POLIS = replace(SOLON, group_iterations=20)


def votes_to_be_grouped(conversation: Conversation, recipe: Recipe = SOLON) -> int:
    """Votes from which on people are grouped: 7, or one for each statement with votes where those are fewer."""
    return max(1, min(recipe.min_votes, int(conversation.seen_PS.any(axis=0).sum())))


def grouped_people(conversation: Conversation, recipe: Recipe = SOLON) -> Bools:
    """[P]: True for whoever cast 7 votes or more (all, where there are fewer statements), on rejected ones too.

    If those are fewer than 15, the most active of the others join them; between equally active ones the smallest id
    goes first. Whoever cast no vote never does.
    """
    votes = conversation.n_votes_P
    chosen = np.asarray(votes >= votes_to_be_grouped(conversation, recipe), dtype=bool)
    if chosen.sum() < recipe.min_people:
        most_active = np.argsort(-votes, kind="stable")[: recipe.min_people]
        chosen[most_active] = True
    return np.asarray(chosen & (votes > 0), dtype=bool)


def kmeans(
    points_N2: Floats,
    start_K2: Floats,
    *,
    weights_N: Floats | None = None,
    iterations: int = 100,
    tolerance: float = 0.01,
) -> tuple[Ints, Floats]:
    """Labels [N] and centres [K, 2]. Empty clusters vanish; a point between two centres goes to the later one.

    Stops when each centre, both lists sorted, lies within `tolerance` of what it was.

    >>> labels, centres = kmeans(np.array([[0.0, 0], [1, 0], [9, 0]]), np.array([[0.0, 0], [9, 0]]))
    >>> labels.tolist(), centres.tolist()
    ([0, 0, 1], [[0.5, 0.0], [9.0, 0.0]])
    """
    weights = np.ones(len(points_N2)) if weights_N is None else weights_N
    centres = start_K2
    labels = np.zeros(len(points_N2), dtype=np.int64)
    nearest = Nearest(points_N2)
    for _ in range(iterations):
        nearest_N = nearest.of(centres)
        labels = (np.cumsum(np.bincount(nearest_N) > 0) - 1)[nearest_N]
        sums = [np.bincount(labels, weights=points_N2[:, axis] * weights) for axis in range(2)]
        moved = np.asarray(np.stack(sums, axis=1), dtype=np.float64)
        moved /= np.bincount(labels, weights=weights)[:, None]
        still = len(moved) == len(centres) and bool(np.all(_distances(_sorted(moved), _sorted(centres)) < tolerance))
        centres = moved
        if still:
            break
    return labels.astype(np.int64), centres


def _sorted(rows_K2: Floats) -> Floats:
    return rows_K2[np.lexsort((rows_K2[:, 1], rows_K2[:, 0]))]


def _distances(left_K2: Floats, right_K2: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(left_K2 - right_K2).sum(axis=1)), dtype=np.float64)


def first_distinct(points_N2: Floats, count: int) -> Floats:
    """The first `count` different points, in their order; fewer where there are fewer.

    >>> first_distinct(np.array([[2.0, 2], [1, 1], [2, 2], [3, 3]]), 2).tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    _, first = np.unique(points_N2, axis=0, return_index=True)
    return points_N2[np.sort(first)[:count]]


def silhouette(points_N2: Floats, labels_N: Ints) -> float:
    """Mean over points of (b - a) / max(a, b): a the mean distance to one's own cluster, b to the nearest other one.

    Unweighted, though the points are base clusters of different sizes, as in Polis. A point alone in its cluster counts
    0, and so does everything where there is one cluster. Points 0, 1 | 10: a = 1, b = 10 and 9, so
    (0.9 + 0.889 + 0) / 3 = 0.596.
    """
    names, own = np.unique(labels_N, return_inverse=True)
    if len(names) < 2:
        return 0.0
    distances_NN = np.sqrt(np.square(points_N2[:, None, :] - points_N2[None, :, :]).sum(axis=2))
    member_NK = own[:, None] == np.arange(len(names))[None, :]
    sums_NK = distances_NN @ member_NK
    sizes_K = member_NK.sum(axis=0)
    rows = np.arange(len(own))
    alone_N = sizes_K[own] == 1
    a_N = sums_NK[rows, own] / np.maximum(1, sizes_K[own] - 1)
    others_NK = np.where(member_NK, np.inf, sums_NK / sizes_K)
    b_N = others_NK.min(axis=1)
    larger_N = np.maximum(a_N, b_N)
    scores_N = np.where(alone_N | (larger_N == 0), 0.0, (b_N - a_N) / np.where(larger_N == 0, 1.0, larger_N))
    return float(scores_N.mean())


@dataclass(frozen=True, kw_only=True)
class Smoother:
    """Keeps the number of groups from flickering between updates of a running conversation.

    The first update adopts its best k at once; later ones change it when a new best has won `patience` updates in a
    row. Polis does not store this state, so a restart there adopts at once again.

    >>> state, kept = Smoother(), []
    >>> for best in (2, 3, 3, 3, 3, 2):
    ...     state = state.update(best)
    ...     kept.append(state.k)
    >>> kept
    [2, 2, 2, 2, 3, 3]
    """

    k: int | None = None
    """The number of groups in use; None before the first update."""
    last_best: int | None = None
    wins: int = 0
    """Updates in a row that `last_best` has won."""
    patience: int = 4

    def update(self, best: int) -> Smoother:
        """The state after an update whose best number of groups is `best`."""
        wins = self.wins + 1 if best == self.last_best else 1
        k = best if self.k is None or wins >= self.patience else self.k
        return replace(self, k=k, last_best=best, wins=wins)


def best_k(silhouettes: Mapping[int, float]) -> int:
    """The number of groups with the largest silhouette; the larger of equals.

    >>> best_k({2: 0.4, 3: 0.5, 4: 0.5})
    4
    """
    return max(silhouettes, key=lambda k: (silhouettes[k], k))


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """What the clustering of N points gives."""

    base_N: Ints
    """Base cluster of each."""
    base_centres_B2: Floats
    labels_N: Ints
    """Group of each, numbered as found."""
    silhouettes: dict[int, float]
    """By number of groups tried."""
    smoother: Smoother
    """State to hand to the next update."""


def base_clusters(points_N2: Floats, *, seed: int = 0, recipe: Recipe = SOLON) -> tuple[Ints, Floats]:
    """Base cluster of each point [N] and their centres [B, 2]: at most 100, or one for each different place."""
    order = generator(seed, "polis", "start").permutation(len(points_N2)) if seed else np.arange(len(points_N2))
    start = first_distinct(points_N2[order], recipe.base_clusters)
    return kmeans(points_N2, start, iterations=recipe.base_iterations, tolerance=recipe.tolerance)


def cluster(
    points_N2: Floats,
    *,
    k: int | None = None,
    seed: int = 0,
    smoother: Smoother | None = None,
    recipe: Recipe = SOLON,
) -> Clustering:
    """Groups of people by their places.

    `k`: number of groups; None: the one with the best silhouette, smoothed over updates where `smoother` is given. One
    place alone gives one group. A `k` above the number of base clusters gives one group for each of them.
    """
    base, centres = base_clusters(points_N2, seed=seed, recipe=recipe)
    sizes = np.bincount(base).astype(np.float64)
    most = min(len(centres), recipe.max_groups, 2 + len(centres) // recipe.base_per_group)
    tried = sorted({*range(2, most + 1)} | ({min(k, len(centres))} if k else set()))
    labels_by_k: dict[int, Ints] = {}
    for count in tried:
        start = first_distinct(centres, count)
        labels_by_k[count], _ = kmeans(
            centres, start, weights_N=sizes, iterations=recipe.group_iterations, tolerance=recipe.tolerance
        )
    silhouettes = {count: silhouette(centres, labels) for count, labels in labels_by_k.items() if count > 1}
    after = smoother or Smoother()
    if k:
        chosen = min(k, len(centres))
    elif silhouettes:
        best = best_k(silhouettes)
        after = after.update(best)
        chosen = after.k if after.k in silhouettes else best
    else:
        chosen = 1
    labels = labels_by_k.get(chosen, np.zeros(len(centres), dtype=np.int64))
    return Clustering(
        base_N=base, base_centres_B2=centres, labels_N=labels[base], silhouettes=silhouettes, smoother=after
    )


def cluster_often(points_N2: Floats, *, k: int | None = None, seed: int = 0, starts: int) -> tuple[Clustering, int]:
    """`cluster` from several starts: the one that is most like all others, and how many chose its number of groups."""
    seeds = [seed, *(derive_seed(seed, "polis", "starts", at) for at in range(1, starts))]
    tries = [cluster(points_N2, k=k, seed=one) for one in seeds]
    numbers = [len(np.unique(one.labels_N)) for one in tries]
    at = most_alike([one.labels_N for one in tries], numbers)
    return tries[at], numbers.count(numbers[at])


def most_alike(labels: Sequence[Ints], numbers: Sequence[int]) -> int:
    """Which of several groupings of the same people to take: of those with the commonest number of groups (of equally
    common ones the smaller), the one with the largest mean adjusted Rand index with all; the first of equals.

    >>> most_alike([np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])], [2, 2, 2])
    1
    """
    if len(labels) == 1:
        return 0
    from sklearn.metrics import adjusted_rand_score

    common = Counter(numbers)
    number = min(common, key=lambda one: (-common[one], one))
    likeness = {
        at: round(sum(adjusted_rand_score(labels[at], other) for other in labels), 9)
        for at, one in enumerate(numbers)
        if one == number
    }
    return max(likeness, key=lambda at: (likeness[at], -at))
