"""Opinion groups: who is grouped, a hundred base clusters of people, groups of base clusters, and how many groups.

Shapes: P participants, N points (people, or centers of base clusters), K clusters.

Each k-means starts from the first K distinct rows and depends on their order: as they come, or with a seed other than 0
in an order drawn from it. docs/method.md says where we differ from Polis, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from solon.collective.conversation import Bools, Conversation, Floats, Ints
from solon.collective.opinion.likeness import adjusted_rand_index
from solon.errors import InputError
from solon.seeds import generator

MIN_VOTES = 7
"""Votes from which on people are grouped; fewer where there are fewer statements."""
MIN_PEOPLE = 15
"""If fewer people qualify, the most active are added up to this many."""
BASE_CLUSTERS = 100
BLOCK = 300
"""Points looked at together. Measured with 20,000 points and 100 centers: four times as fast as all at once."""
ITERATIONS = 100
"""At most."""
TOLERANCE = 0.01
"""k-means stops when no center moved as far as this."""
MAX_GROUPS, BASE_PER_GROUP = 5, 12
"""One more group than two is tried for each so many base clusters."""


def votes_to_be_grouped(conversation: Conversation) -> int:
    """Votes from which on people are grouped: 7, or one for each statement with votes where those are fewer."""
    return max(1, min(MIN_VOTES, int(conversation.seen_PS.any(axis=0).sum())))


def grouped_people(conversation: Conversation) -> Bools:
    """[P]: True for whoever cast 7 votes or more (all, where there are fewer statements), on rejected ones too.

    If those are fewer than 15, the most active of the others join them; between equally active ones the smallest id
    goes first. Whoever cast no vote never does.
    """
    votes = conversation.n_votes_P
    chosen = np.asarray(votes >= votes_to_be_grouped(conversation), dtype=bool)
    if chosen.sum() < MIN_PEOPLE:
        most_active = np.argsort(-votes, kind="stable")[:MIN_PEOPLE]
        chosen[most_active] = True
    return np.asarray(chosen & (votes > 0), dtype=bool)


class Nearest:
    """Which center each of N points is nearest to, asked again and again while centers move.

    Points are in blocks of neighbours: for a block, only centers near its bounding box can be nearest to a point.
    """

    def __init__(self, points_N2: Floats) -> None:
        side = max(1, round((len(points_N2) / BLOCK) ** 0.5))
        strips = np.array_split(np.argsort(points_N2[:, 0], kind="stable"), side)
        blocks = [
            block
            for strip in strips
            for block in np.array_split(strip[np.argsort(points_N2[strip, 1], kind="stable")], side)
            if len(block)
        ]
        self._rows_N = np.concatenate(blocks)
        self._blocks = [points_N2[block] for block in blocks]
        self._low_B12 = np.array([block.min(axis=0, keepdims=True) for block in self._blocks])
        self._high_B12 = np.array([block.max(axis=0, keepdims=True) for block in self._blocks])

    def of(self, centers_K2: Floats) -> Ints:
        """The nearest center of each point [N]; of equally near ones the later."""
        below, above = self._low_B12 - centers_K2, centers_K2 - self._high_B12
        least_BK = np.square(np.maximum(np.maximum(below, above), 0.0)).sum(axis=2)
        most_BK = np.square(np.maximum(np.abs(below), np.abs(above))).sum(axis=2)
        # Every point of a block is at least as near to some center as the farthest corner is to it.
        able_BK = least_BK <= most_BK.min(axis=1, keepdims=True) * (1 + 1e-9)
        found = []
        for points_M2, able_K in zip(self._blocks, able_BK, strict=True):
            later_first = np.flatnonzero(able_K)[::-1]
            squared = np.square(points_M2[:, :1] - centers_K2[later_first, 0])
            squared += np.square(points_M2[:, 1:] - centers_K2[later_first, 1])
            found.append(later_first[squared.argmin(axis=1)])
        nearest_N = np.empty(len(self._rows_N), dtype=np.int64)
        nearest_N[self._rows_N] = np.concatenate(found)
        return nearest_N


def kmeans(points_N2: Floats, start_K2: Floats, *, weights_N: Ints | None = None) -> tuple[Ints, Floats]:
    """Labels [N] and centers [K, 2]. Empty clusters vanish; a point between two centers goes to the later one.

    Stops when each center, both lists sorted, lies within `TOLERANCE` of what it was.

    >>> labels, centers = kmeans(np.array([[0.0, 0], [1, 0], [9, 0]]), np.array([[0.0, 0], [9, 0]]))
    >>> labels.tolist(), centers.tolist()
    ([0, 0, 1], [[0.5, 0.0], [9.0, 0.0]])
    """
    weights = np.ones(len(points_N2)) if weights_N is None else weights_N.astype(np.float64)
    centers, labels, nearest = start_K2, np.zeros(len(points_N2), dtype=np.int64), Nearest(points_N2)
    for _ in range(ITERATIONS):
        nearest_N = nearest.of(centers)
        labels = (np.cumsum(np.bincount(nearest_N) > 0) - 1)[nearest_N]
        before, sums = centers, [np.bincount(labels, weights=points_N2[:, axis] * weights) for axis in range(2)]
        centers = np.stack(sums, axis=1) / np.bincount(labels, weights=weights)[:, None]
        if len(centers) == len(before):
            steps = np.square(centers[np.lexsort(centers.T[::-1])] - before[np.lexsort(before.T[::-1])]).sum(axis=1)
            if (np.sqrt(steps) < TOLERANCE).all():
                break
    return labels.astype(np.int64), centers


def first_distinct(points_N2: Floats, count: int) -> Floats:
    """The first `count` different points, in their order; fewer where there are fewer.

    >>> first_distinct(np.array([[2.0, 2], [1, 1], [2, 2], [3, 3]]), 2).tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    found: dict[tuple[float, ...], None] = {}
    for point in points_N2.tolist():
        found[tuple(point)] = None
        if len(found) == count:
            break
    return np.array([*found])


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
    member_NK, rows = own[:, None] == np.arange(len(names)), np.arange(len(own))
    sums_NK, sizes_K = distances_NN @ member_NK, member_NK.sum(axis=0)
    a_N = sums_NK[rows, own] / np.maximum(1, sizes_K[own] - 1)
    b_N = np.where(member_NK, np.inf, sums_NK / sizes_K).min(axis=1)
    larger_N = np.maximum(a_N, b_N)
    counts_N = (sizes_K[own] > 1) & (larger_N > 0)
    return float(np.where(counts_N, (b_N - a_N) / np.where(counts_N, larger_N, 1.0), 0.0).mean())


def best_k(silhouettes: Mapping[int, float]) -> int:
    """The number of groups with the largest silhouette; the larger of equals. 1 without any.

    >>> best_k({2: 0.4, 3: 0.5, 4: 0.5})
    4
    """
    return max(silhouettes, key=lambda k: (silhouettes[k], k), default=1)


@dataclass(frozen=True, kw_only=True)
class Clustering:
    """Base clusters of N points, and any number of groups of them, computed where asked for."""

    make_base: Callable[[], tuple[Ints, Floats]]
    make_groups: Callable[[Floats, Ints, int], Ints]
    """Of centers, how many points each has, and the number of groups: the group of each base cluster [B]."""
    tried: Callable[[int], Iterable[int]]
    """Numbers of groups to choose among, of so many base clusters."""
    _labels_by_k: dict[int, Ints] = field(default_factory=dict)

    @cached_property
    def base(self) -> tuple[Ints, Floats]:
        """Base cluster of each point [N], and their centers [B, 2]."""
        return self.make_base()

    @cached_property
    def silhouettes(self) -> dict[int, float]:
        """By number of groups tried; of base clusters, not weighted by people."""
        _, centers_B2 = self.base
        return {k: silhouette(centers_B2, self._labels_B(k)) for k in self.tried(len(centers_B2))}

    @property
    def number(self) -> int:
        """Of groups: the one with the best silhouette; 1 where everybody stands in one place."""
        return best_k(self.silhouettes)

    def silhouettes_with(self, k: int) -> dict[int, float]:
        """Those of the numbers tried, and of `k`."""
        return self.silhouettes | ({k: silhouette(self.base[1], self._labels_B(k))} if k > 1 else {})

    def labels(self, k: int) -> Ints:
        """Group of each point [N], numbered as found; one for each base cluster where there are fewer than `k`."""
        return self._labels_B(k)[self.base[0]]

    def _labels_B(self, k: int) -> Ints:
        if k not in self._labels_by_k:
            base_N, centers_B2 = self.base
            self._labels_by_k[k] = self.make_groups(centers_B2, np.bincount(base_N), k)
        return self._labels_by_k[k]


def cluster(points_N2: Floats, *, seed: int = 0) -> Clustering:
    """Groups of people by their places, from one start: at most 100 base clusters, or one for each different place."""

    def make_base() -> tuple[Ints, Floats]:
        order = generator(seed, "polis", "start").permutation(len(points_N2)) if seed else slice(None)
        return kmeans(points_N2, first_distinct(points_N2[order], BASE_CLUSTERS))

    def make_groups(centers_B2: Floats, sizes_B: Ints, k: int) -> Ints:
        return kmeans(centers_B2, first_distinct(centers_B2, k), weights_N=sizes_B)[0]

    return Clustering(
        make_base=make_base,
        make_groups=make_groups,
        tried=lambda count: range(2, min(count, MAX_GROUPS, 2 + count // BASE_PER_GROUP) + 1),
    )


def most_alike(labels: Sequence[Ints]) -> int:
    """Which of several groupings of the same people to take: the one with the largest mean adjusted Rand index with
    all; the first of equals.

    >>> most_alike([np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]), np.array([1, 1, 0, 0])])
    1
    """
    likeness = [round(sum(adjusted_rand_index(one, other) for other in labels), 9) for one in labels]
    return likeness.index(max(likeness))


def leading(numbers: Iterable[int], *, of: int) -> Counter[int]:
    """`of` numbers counted, until those to come cannot change which is the commonest.

    >>> leading([2, 3, 2, 2, 5], of=5)
    Counter({2: 3, 3: 1})
    """
    counts: Counter[int] = Counter()
    for left, number in zip(range(of - 1, -1, -1), numbers, strict=False):
        counts[number] += 1
        (_, first), (_, second) = (*counts.most_common(2), (0, 0))[:2]
        if first - second > left:
            break
    return counts


@dataclass(frozen=True, kw_only=True)
class Start:
    """One or several clusterings of the same places, so that a bad one alone decides nothing."""

    clusterings: tuple[Clustering, ...]

    @property
    def number(self) -> int:
        """Of groups: what most of them choose; of equally common numbers the smaller."""
        common = leading((one.number for one in self.clusterings), of=len(self.clusterings))
        return min(common, key=lambda number: (-common[number], number))

    def grouped(self, k: int) -> tuple[Ints, dict[int, float]]:
        """Labels [N] of the groups that are most like all others', and their silhouettes by number of groups.

        Raises `InputError` if people stand in fewer than `k` different places.
        """
        places = min(len(one.base[1]) for one in self.clusterings)
        if not 1 <= k <= places:
            raise InputError(
                f"{k} groups asked for, but people stand in {places} different places after base clustering",
                hint=f"ask for 1 to {places}, or leave the number to the method",
            )
        labels = [one.labels(k) for one in self.clusterings]
        at = most_alike(labels)
        return labels[at], self.clusterings[at].silhouettes_with(k)
