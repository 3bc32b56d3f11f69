"""The CCAI study's grouping and the reading of its export, on people of our own invention."""

from __future__ import annotations

import doctest
from pathlib import Path

import numpy as np
import pytest

from solon.collective.conversation import Conversation
from solon.collective.opinion import ccai as method
from solon.collective.opinion.ccai import k_means, place_all, positions, starting_centers
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.results import by_size
from solon.errors import InputError
from solon.report.study import figures as study_figures
from solon.report.study import measures as study
from solon.report.study import reading
from solon.report.study.files import write_all
from solon.report.study.measures import labelled, misplaced, reproduce
from solon.report.study.reading import Study, fingerprint, read_study
from talks import random_rows, talk, write_export
from voters import public


def test_the_worked_examples_hold() -> None:
    for module in (method, reading, study, study_figures):
        assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(("people", "statements"), [(30, 50), (50, 30)])
def test_positions_equal_a_full_decomposition(people: int, statements: int) -> None:
    """The study fits scikit-learn's PCA to the transposed votes and takes its axes as people's positions."""
    from sklearn.decomposition import PCA

    conversation = talk(random_rows(0, people, statements))
    pca = PCA(2, svd_solver="full").fit(conversation.votes_PS.T.astype(float))
    points_P2, variance_2 = positions(conversation)
    for axis in range(2):
        theirs, ours = pca.components_[axis], points_P2[:, axis]
        assert abs(theirs @ ours) == pytest.approx(1, abs=1e-9)
        assert ours @ ours == pytest.approx(1) and ours.sum() > 0
    np.testing.assert_allclose(variance_2, pca.explained_variance_ratio_, atol=1e-12)


def test_an_unseen_statement_counts_as_a_pass_or_as_the_mean() -> None:
    rows = random_rows(1, 30, 20)
    passes = [[0 if vote is None else vote for vote in row] for row in rows]
    filled, sparse = positions(talk(passes))[0], positions(talk(rows))[0]
    np.testing.assert_allclose(sparse, filled, atol=1e-12)
    assert not np.allclose(positions(talk(rows), impute="mean")[0], sparse)


def test_people_who_all_vote_alike_stand_at_the_origin() -> None:
    points_P2, variance_2 = positions(talk([[1, 1, 1]] * 4))
    assert not points_P2.any() and not variance_2.any()
    assert place_all(talk([[1, 1, 1]] * 4)).start(0).number == 1


def test_starting_centres_are_points_each_once() -> None:
    points = np.random.default_rng(0).normal(size=(50, 2))
    centres = starting_centers(points, 8, np.random.RandomState(3))
    chosen = [np.flatnonzero((points == centre).all(axis=1)).tolist() for centre in centres]
    assert all(len(one) == 1 for one in chosen) and len({one[0] for one in chosen}) == 8
    np.testing.assert_array_equal(centres, starting_centers(points, 8, np.random.RandomState(3)))


def test_k_means_ends_where_every_point_is_at_its_nearest_centre() -> None:
    rng = np.random.default_rng(1)
    middles = np.array([[0, 0], [5, 0], [0, 5]])
    points = np.concatenate([middle + rng.normal(size=(30, 2)) for middle in middles])
    labels, centres = k_means(points, 3, seed=2)
    distance_NK = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
    np.testing.assert_array_equal(distance_NK.argmin(axis=1), labels)
    for group in range(3):
        np.testing.assert_allclose(points[labels == group].mean(axis=0), centres[group], atol=1e-3)
    assert [len(np.unique(labels[30 * at : 30 * at + 30])) for at in range(3)] == [1, 1, 1]


def test_camps_are_found_the_larger_first() -> None:
    conversation, camp_P = public((20, 45), statements=30, seen=1.0, seed=2)
    found = find_groups(conversation, method="ccai")
    assert found.k == 2 and max(found.silhouettes, key=lambda k: found.silhouettes[k]) == 2
    np.testing.assert_array_equal(found.labels_G, 1 - camp_P)
    assert find_groups(conversation, method="ccai", k=3).names == ("0", "1", "2")
    assert find_groups(conversation, method="ccai", k=1).k == 1


def test_labels_by_size_then_by_first_member() -> None:
    assert by_size(np.array([7, 3, 3, 7, 1]), np.arange(5)).tolist() == [0, 1, 1, 0, 2]


@pytest.mark.parametrize(
    ("conversation", "k", "said"),
    [
        (talk(random_rows(0, 20, 10)), None, "0 of 20 participants have more than 25 votes"),
        (talk(random_rows(0, 9, 30, seen=1), moderated=dict.fromkeys(range(30), -1)), None, "rejected every statement"),
        (talk([[1] * 30] * 5), 2, "2 groups asked for, but people stand in 1 different places"),
    ],
)
def test_what_cannot_be_grouped_is_said(conversation: Conversation, k: int | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        find_groups(conversation, method="ccai", k=k)


def export(folder: Path, *, order: int | None = None, tossed: str = "101\n\n105\n") -> Path:
    """Like the study's: statement 0 rejected, 1 never moderated, 101 and 105 thrown out."""
    rows = random_rows(5, 60, 40, seen=0.8)
    rows[7] = [1] * 25 + [None] * 15
    rows[8] = [1] * 13 + [-1] * 13 + [None] * 14
    conversation = talk(rows, people=range(100, 160), moderated={0: -1, 1: 0})
    write_export(conversation, folder, order=None if order is None else np.random.default_rng(order))
    (folder / "ids-to-toss.csv").write_text(tossed, encoding="utf-8")
    return folder


def test_whom_and_what_the_study_keeps(tmp_path: Path) -> None:
    found = read_study(export(tmp_path))
    kept = set(found.conversation.participant_ids.tolist())
    assert 107 not in kept, "25 votes are too few"
    assert 108 in kept, "26 are enough"
    assert not {101, 105} & kept and len(kept) == len(found.export_order_P)
    assert found.conversation.statement_ids.tolist() == list(range(2, 40))
    assert (found.n_participants, found.n_statements) == (60, 40)
    dropped = found.dropped
    assert dropped["participants_with_25_votes_or_fewer"] + dropped["participants_thrown_out"] == 60 - len(kept)
    assert dropped["statements_rejected"] == dropped["statements_never_moderated"] == 1
    assert not found.in_published_order


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("comments.csv", "comment-id", "id", "comments.csv:1: no column comment-id"),
        ("comments.csv", ",39,0,", ",38,0,", "comments.csv:"),
        (
            "participants-votes.csv",
            ",39\n",
            ",390\n",
            "participants-votes.csv: no votes on the accepted statements 39",
        ),
        ("participants-votes.csv", "\n103,", "\n102,", "participants-votes.csv:"),
        ("ids-to-toss.csv", "105", "one hundred", "ids-to-toss.csv:3: not a participant id: 'one hundred'"),
        ("ids-to-toss.csv", "105", "7", "ids-to-toss.csv: participants 7 are not in participants-votes.csv"),
        ("ids-to-toss.csv", None, None, "ids-to-toss.csv: no such file"),
    ],
)
def test_a_broken_export_is_told_by_file_and_line(
    tmp_path: Path, name: str, old: str | None, new: str | None, said: str
) -> None:
    path = export(tmp_path) / name
    text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    if old is None or new is None:
        path.unlink()
    else:
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_study(tmp_path)
    assert said in str(caught.value)


def test_the_slip_on_paper() -> None:
    conversation = talk([[1], [1], [-1]], people=[1, 2, 3])
    found = Study(
        conversation=conversation,
        export_order_P=np.array([3, 1, 2]),
        in_published_order=True,
        n_participants=3,
        n_statements=1,
        dropped={},
    )
    owners = np.array([0, 0, 1])
    assert misplaced(found, owners).tolist() == [0, 1, 0]
    # On their owners the groups are opposed; put on the wrong people they look alike.
    assert labelled(found, owners).consensus_2S.tolist() == [[1.0], [0.0]]
    assert labelled(found, misplaced(found, owners)).consensus_2S.tolist() == [[0.5], [1.0]]


def test_published_files_are_refused_without_the_published_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, out = export(tmp_path / "export"), tmp_path / "out"
    ids = np.array(range(100, 160))
    monkeypatch.setattr(reading, "PUBLISHED_ORDER", fingerprint(ids))
    out.mkdir()
    _, published, comparison = write_all(out, reproduce(read_study(folder)))
    assert published is not None and comparison is not None
    # Rows of this export stand by id already, so that the slip changes nothing.
    assert comparison.change_max == 0.0 and comparison.likeness == 1.0
    shuffled = tmp_path / "other"
    shuffled.mkdir()
    _, published, comparison = write_all(shuffled, reproduce(read_study(export(tmp_path / "shuffled", order=3))))
    assert published is None and comparison is None
    left = {path.name for path in shuffled.iterdir()}
    assert {path.name for path in out.iterdir()} - left == {
        "published.csv",
        "published-statements.csv",
        "published-figure2.svg",
        "published-figure2.csv",
        "published-figure3.svg",
        "published-figure3.csv",
        "selection.csv",
        "thresholds.svg",
        "thresholds.csv",
    }
    for name in left:
        if name.startswith("corrected"):
            assert (shuffled / name).read_bytes() == (out / name).read_bytes()
