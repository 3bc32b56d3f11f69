from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples

from solon.collective.opinion.polis import clusters as module
from solon.collective.opinion.polis.clusters import (
    best_k,
    cluster,
    first_distinct,
    grouped_people,
    kmeans,
    silhouette,
)
from solon.collective.opinion.results import by_size
from talks import talk


def test_worked_examples() -> None:
    assert doctest.testmod(module).failed == 0
    points = np.array([[0.0, 0], [1, 0], [10, 0]])
    # (10 - 1) / 10, (9 - 1) / 9, and 0 for the one alone
    assert silhouette(points, np.array([0, 0, 1])) == pytest.approx((0.9 + 8 / 9 + 0) / 3)


@given(st.integers(0, 10_000), st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_silhouette_is_scikit_learns_with_zero_for_those_alone(seed: int, k: int) -> None:
    draws = np.random.default_rng(seed)
    points, labels = draws.normal(size=(25, 2)), draws.integers(k, size=25)
    labels[:2] = 0, 1
    assert silhouette(points, labels) == pytest.approx(silhouette_samples(points, labels).mean(), abs=1e-12)


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_silhouette_of_one_cluster_or_of_everyone_alone_is_zero(labels: list[int]) -> None:
    assert silhouette(np.array([[0.0, 0], [1, 1], [5, 5]]), np.array(labels)) == 0


def test_silhouette_of_equal_points_is_zero() -> None:
    assert silhouette(np.zeros((4, 2)), np.array([0, 0, 1, 1])) == 0


def test_kmeans_ends_where_scikit_learns_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOLERANCE", 1e-15)
    draws = np.random.default_rng(3)
    points, weights = draws.normal(size=(80, 2)), draws.integers(1, 9, size=80).astype(float)
    start = points[:4]
    labels, centres = kmeans(points, start, weights_N=weights)
    reference = KMeans(4, init=start, n_init=1, tol=0).fit(points, sample_weight=weights)
    assert labels.tolist() == reference.labels_.tolist()
    np.testing.assert_allclose(centres, reference.cluster_centers_, atol=1e-12)


def test_kmeans_gives_ties_to_the_later_cluster_and_drops_empty_ones() -> None:
    points = np.array([[0.0, 0], [1, 0], [2, 0]])
    assert kmeans(points, points[[0, 2]])[0].tolist() == [0, 1, 1]
    labels, centres = kmeans(points, np.array([[0.0, 0], [2, 0], [50, 50]]))
    assert labels.max() == 1 and len(centres) == 2


def test_kmeans_weighs() -> None:
    _, centres = kmeans(np.array([[0.0, 0], [3, 0]]), np.array([[1.0, 0]]), weights_N=np.array([2.0, 1.0]))
    assert centres.tolist() == [[1, 0]]


def test_kmeans_stops_within_the_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 0 and 3, the later centre moves by 0.01 and takes the point at 1.5 with it only in a second round."""
    points, start = np.array([[0.0, 0], [1.502, 0], [2.995, 0], [2.995, 0]]), np.array([[0.0, 0], [3.0, 0]])
    monkeypatch.setattr(module, "TOLERANCE", 1.0)
    assert kmeans(points, start)[1].tolist() == pytest.approx(np.array([[0, 0], [7.492 / 3, 0]]))
    monkeypatch.setattr(module, "TOLERANCE", 0.01)
    assert kmeans(points, np.array([[0.751, 0], [2.99, 0]]))[1].tolist() == [[0.751, 0], [2.995, 0]]


def test_first_distinct_keeps_the_order() -> None:
    assert first_distinct(np.array([[3.0, 1], [1, 1], [3, 1], [2, 2]]), 9).tolist() == [[3, 1], [1, 1], [2, 2]]


def test_base_clusters_start_from_the_first_places() -> None:
    points = np.random.default_rng(0).normal(size=(60, 2))
    found = cluster(points)
    assert found.base[0].tolist() == list(range(60))
    assert found.base[1].tolist() == points.tolist()
    many = np.random.default_rng(1).normal(size=(400, 2))
    labels, other = cluster(many).base[0], cluster(many, seed=1).base[0]
    assert len(np.unique(labels)) == labels.max() + 1 <= 100
    np.testing.assert_array_equal(labels, kmeans(many, many[:100])[0])
    assert (other != labels).any()
    np.testing.assert_array_equal(other, cluster(many, seed=1).base[0])


def test_who_is_grouped() -> None:
    rows = [[1] * 7 + [None], [1] * 6 + [None] * 2, [None] * 8, [1] * 8, *[[1] * 7 + [None]] * 14]
    assert grouped_people(talk(rows)).tolist() == [True, False, False, True, *[True] * 14]


def test_rejected_statements_count_as_votes_cast() -> None:
    rows = [[1] * 7] * 20
    assert grouped_people(talk(rows, moderated=dict.fromkeys(range(5), -1))).all()


def test_with_few_statements_all_of_them_suffice() -> None:
    rows = [*[[1, 1, 1]] * 16, [1, 1, None]]
    assert grouped_people(talk(rows)).tolist() == [True] * 16 + [False]


def test_the_most_active_fill_up_to_fifteen() -> None:
    rows = [[1] * votes + [None] * (9 - votes) for votes in [8, *range(1, 7), *[3] * 12, 0]]
    chosen = grouped_people(talk(rows))
    assert chosen.sum() == 15
    votes = np.array([sum(vote is not None for vote in row) for row in rows])
    assert set(votes[~chosen]) == {0, 1, 2, 3}
    # all with four votes or more, then those with three by id
    assert chosen[votes >= 4].all() and chosen[np.flatnonzero(votes == 3)[:11]].all()


def test_best_k_prefers_more_groups_at_a_tie() -> None:
    assert best_k({2: 0.1, 3: 0.7, 4: 0.7, 5: 0.6}) == 4


def blobs(sizes: list[int], seed: int = 0) -> np.ndarray:
    """People around points of a circle, mixed."""
    draws = np.random.default_rng(seed)
    angles = np.linspace(0, 2 * np.pi, len(sizes), endpoint=False)
    middles = 10 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = np.concatenate([draws.normal(middle, 0.5, size=(n, 2)) for middle, n in zip(middles, sizes, strict=True)])
    return points[draws.permutation(len(points))]


def test_clear_groups_are_found_with_their_number() -> None:
    points = blobs([30, 20, 10])
    found = cluster(points)
    assert np.bincount(by_size(found.labels(3), np.arange(60))).tolist() == [30, 20, 10]
    assert found.number == 3 and sorted(found.silhouettes) == [2, 3, 4, 5]
    assert found.silhouettes[3] == silhouette(found.base[1], found.labels(3)[np.argsort(found.base[0])])
    assert len(np.unique(found.labels(2))) == 2


def test_number_tried_grows_with_base_clusters() -> None:
    assert sorted(cluster(blobs([11])).silhouettes) == [2]
    assert sorted(cluster(blobs([12])).silhouettes) == [2, 3]
    assert sorted(cluster(blobs([99])).silhouettes) == [2, 3, 4, 5]


def test_groups_weigh_base_clusters_by_their_people() -> None:
    """From 0 and 10: 6 joins 10. As fifty people it draws the centre to 6.1, and 4.5, which stood by 0, with it."""
    alone = np.array([[0.0, 0], [10, 0], [4.5, 0], [6, 0]])
    assert cluster(alone).labels(2).tolist() == [0, 1, 0, 1]
    crowd = np.concatenate([alone, np.tile(alone[3], (49, 1))])
    assert cluster(crowd).labels(2).tolist() == [0, 1, 1, *[1] * 50]


def test_one_place_is_one_group() -> None:
    found = cluster(np.ones((20, 2)))
    assert found.number == 1 and found.silhouettes == {}
    assert found.labels(1).tolist() == found.labels(3).tolist() == [0] * 20


@given(st.lists(st.integers(0, 4), min_size=1, max_size=30), st.randoms())
@settings(max_examples=50, deadline=None)
def test_labels_by_size_do_not_depend_on_old_labels_or_order(labels: list[int], random: object) -> None:
    ids, old = np.arange(len(labels)) * 7, np.array(labels)
    new = by_size(old, ids)
    sizes = np.bincount(new)
    assert (np.diff(sizes) <= 0).all()
    firsts = [new.tolist().index(label) for label in range(len(sizes))]
    assert all(firsts[a] < firsts[a + 1] for a in range(len(sizes) - 1) if sizes[a] == sizes[a + 1])
    order = list(range(len(labels)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(by_size(9 - old[order], ids[order]), new[order])
