from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from solon.collective.conversation import Conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.files import write_analysis
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.results import Analysis, Groups
from solon.collective.reading.folder import open_conversation
from solon.collective.reading.mathematics import read_stored
from solon.errors import InputError
from talks import random_rows, talk

Rows = list[list[int | None]]


@pytest.fixture(autouse=True)
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def assert_finite(found: Analysis) -> None:
    for array in (found.consensus_S, found.extremity_S, found.priority_S, found.polarization_S):
        assert array.shape == (len(found.conversation.statements),) and np.isfinite(array).all()
    assert np.isfinite(found.projection.participants_P2).all() and np.isfinite(found.projection.statements_S2).all()
    assert all(np.isfinite(value) for value in found.groups.silhouettes.values())
    for row in (*found.representative, *found.majority):
        assert all(np.isfinite(value) for value in row.model_dump().values() if isinstance(value, float))


@pytest.mark.parametrize(
    ("rows", "notes"),
    [
        ([[1]], "no axes"),
        ([[1, -1, 0]], "no axes"),
        ([[1], [-1], [1]], "no axes"),
        ([[1, 1, -1]] * 20, "no axes"),
        ([[0, 0], [0, 0]], "no axes"),
        ([[None, None], [1, None]], "Statements without any vote: 1"),
        ([[1, None], [None, 1]], "most active others"),
        ([*[[1] * 8] * 3, *[[-1] * 8] * 3, [1, *[None] * 7]], "the 1 most active others"),
    ],
)
def test_degenerate_sizes_are_noted(rows: Rows, notes: str, tmp_path: Path) -> None:
    found = analyse(talk(rows))
    assert_finite(found)
    assert any(notes in note for note in found.notes), found.notes
    assert found.groups.k >= 1 and len(found.groups.participant_ids) >= 1
    write_analysis(found, tmp_path)


@pytest.mark.parametrize("rows", [[], [[]], [[], []], [[None, None]] * 3])
def test_without_votes_there_is_nothing_to_analyse(rows: Rows) -> None:
    with pytest.raises(InputError, match="nobody has voted"):
        analyse(talk(rows))
    with pytest.raises(InputError, match="nobody has voted"):
        find_groups(talk(rows))


def test_more_groups_than_places_are_refused() -> None:
    rows: Rows = [[1, 1, 1], [1, 1, 1], [-1, -1, -1], [0, 0, 0]]
    with pytest.raises(InputError, match=r"7 groups asked for, but people stand in 3 different places"):
        find_groups(talk(rows), k=7)
    assert find_groups(talk(rows), k=3).k == 3
    assert find_groups(talk(rows), k=1).labels_G.tolist() == [0, 0, 0, 0]


@given(st.integers(0, 10_000), st.integers(1, 14), st.integers(1, 9))
@settings(max_examples=15, deadline=None)
def test_any_small_conversation_is_analysed_or_refused(seed: int, people: int, statements: int) -> None:
    rows = random_rows(seed, people, statements, seen=0.4)
    if all(vote is None for row in rows for vote in row):
        return
    assert_finite(analyse(talk(rows)))


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_an_unseen_statement_changes_nothing(seed: int) -> None:
    rows = random_rows(seed, 25, 9)
    before, after = analyse(talk(rows)), analyse(talk([[*row, None] for row in rows]))
    np.testing.assert_array_equal(before.projection.participants_P2, after.projection.participants_P2)
    np.testing.assert_array_equal(before.groups.labels_G, after.groups.labels_G)
    np.testing.assert_array_equal(before.priority_S, after.priority_S[:-1])
    assert before.representative == after.representative and before.majority == after.majority


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_other_ids_in_the_same_order_change_only_the_ids(seed: int) -> None:
    rows = random_rows(seed, 25, 9)
    plain = analyse(talk(rows))
    named = analyse(talk(rows, people=[3 * i + 11 for i in range(25)], statements=[2 * i + 40 for i in range(9)]))
    np.testing.assert_array_equal(plain.groups.labels_G, named.groups.labels_G)
    np.testing.assert_array_equal(plain.projection.statements_S2, named.projection.statements_S2)
    np.testing.assert_array_equal(plain.consensus_S, named.consensus_S)
    assert [2 * row.comment_id + 40 for row in plain.majority] == [row.comment_id for row in named.majority]


def test_consensus_is_the_smoothed_product_over_groups_of_all_statements() -> None:
    rows = random_rows(11, 30, 8)
    found = analyse(talk(rows, moderated={2: -1}))
    for at in range(8):
        product = 1.0
        for group in range(found.groups.k):
            members = found.groups.participant_ids[found.groups.labels_G == group]
            votes = [rows[person][at] for person in members]
            product *= (votes.count(1) + 1) / (sum(vote is not None for vote in votes) + 2)
        assert found.consensus_S[at] == pytest.approx(product, abs=1e-15)


def test_groups_who_disagree_are_told_apart_with_a_third_of_the_votes() -> None:
    draws = np.random.default_rng(0)
    camp = draws.integers(2, size=120)
    belief = np.where(np.arange(40) % 2, 1, -1)
    votes = np.where(draws.random((120, 40)) < 0.85, np.where(camp[:, None] == 1, belief, -belief), 0)
    seen = draws.random((120, 40)) < 0.3
    rows: Rows = [[int(v) if s else None for v, s in zip(*row, strict=True)] for row in zip(votes, seen, strict=True)]
    found = find_groups(talk(rows))
    assert found.k == 2 and adjusted_rand_score(camp[found.participant_ids], found.labels_G) >= 0.9


def test_given_groups_are_taken_and_axes_computed() -> None:
    conversation = talk(random_rows(8, 30, 9), people=range(50, 80))
    given = Groups(
        participant_ids=np.array([51, 60, 79]),
        labels_G=np.array([1, 0, 1]),
        names=("north", "south"),
        silhouettes={},
        method="given",
        notes=("Given.",),
    )
    found, own = analyse(conversation, groups=given), analyse(conversation)
    assert found.groups is given and found.notes == ("Given.",)
    np.testing.assert_array_equal(found.projection.statements_S2, own.projection.statements_S2)
    assert {row.group for row in found.representative} <= {"north", "south"}
    agrees = (conversation.votes_PS[[1, 29]] == 1).sum(axis=0), (conversation.votes_PS[[10]] == 1).sum(axis=0)
    seen = conversation.seen_PS[[1, 29]].sum(axis=0), conversation.seen_PS[[10]].sum(axis=0)
    product = (agrees[0] + 1) / (seen[0] + 2) * (agrees[1] + 1) / (seen[1] + 2)
    np.testing.assert_allclose(found.consensus_S, product, rtol=1e-14)


def test_a_seed_gives_the_same_groups_again() -> None:
    conversation = talk(random_rows(5, 150, 12, seen=0.7))
    one, again = find_groups(conversation, k=4, seed=6), find_groups(conversation, k=4, seed=6)
    np.testing.assert_array_equal(one.labels_G, again.labels_G)
    assert any((find_groups(conversation, k=4, seed=seed).labels_G != one.labels_G).any() for seed in range(5))


# Reference data


def test_the_stored_mathematics_of_a_server_is_reproduced(reference_data: Path) -> None:
    folder = reference_data / "polis/server-below-100"
    blob = json.loads((folder / "math-pca2.json").read_text(encoding="utf-8"))
    found = analyse(open_conversation(folder).conversation, stored=read_stored(folder / "math-pca2.json"))
    assert found.notes[0] == "Groups as the server stored them."
    ids = found.conversation.statement_ids.tolist()
    by_statement = np.argsort(blob["tids"])
    for values, stored in (
        (found.consensus_S, [blob["group-aware-consensus"][str(one)] for one in ids]),
        (found.priority_S, [blob["comment-priorities"][str(one)] for one in ids]),
        (found.extremity_S, np.array(blob["pca"]["comment-extremity"])[by_statement]),
        (found.projection.statements_S2.T, np.array(blob["pca"]["comment-projection"])[:, by_statement]),
    ):
        np.testing.assert_allclose(values, stored, atol=1e-9, rtol=0)
    base, row = blob["base-clusters"], {int(one): i for i, one in enumerate(found.conversation.participant_ids)}
    places = np.array([found.projection.participants_P2[row[members[0]]] for members in base["members"]])
    np.testing.assert_allclose(places.T, [base["x"], base["y"]], atol=1e-9, rtol=0)
    assert_lists_equal(found, blob)


def assert_lists_equal(found: Analysis, blob: dict[str, Any]) -> None:
    stored = [(group, one) for group, listed in sorted(blob["repness"].items()) for one in listed]
    assert len(stored) == len(found.representative) > 0
    for (group, one), row in zip(stored, found.representative, strict=True):
        assert (group, one["tid"], one["repful-for"]) == (row.group, row.comment_id, row.direction)
        assert (one["n-success"], one["n-trials"]) == (row.n_success, row.n_trials)
        assert one.get("best-agree", False) == row.best_agree
        assert [row.p_success, row.p_test, row.repness, row.repness_test] == pytest.approx(
            [one["p-success"], one["p-test"], one["repness"], one["repness-test"]], abs=1e-6
        )
    majority = [(way, one) for way in ("agree", "disagree") for one in blob["consensus"][way]]
    assert [(way, one["tid"], one["n-success"], one["n-trials"]) for way, one in majority] == [
        (row.direction, row.comment_id, row.n_success, row.n_trials) for row in found.majority
    ]
    assert [row.p_test for row in found.majority] == pytest.approx([one["p-test"] for _, one in majority], abs=1e-9)


def rand_index(conversation: Conversation, found: Groups) -> float:
    """Adjusted Rand index with the exported groups, over the people in both."""
    exported = {one.id: one.exported_group for one in conversation.participants if one.exported_group}
    pairs = [
        (exported[person], label)
        for person, label in zip(found.participant_ids.tolist(), found.labels_G.tolist(), strict=True)
        if person in exported
    ]
    assert len(pairs) >= 0.95 * len(exported)
    return float(adjusted_rand_score(*zip(*pairs, strict=True)))


@pytest.mark.parametrize(
    ("folder", "at_exported_k", "k"),
    [("bg2050-volunteers", 0.999, 2), ("scoop-hivemind.biodiversity", 0.96, 2)],
)
def test_a_cold_start_finds_the_exported_groups(
    reference_data: Path, folder: str, at_exported_k: float, k: int
) -> None:
    """Promised: 0.75. Measured: 1.0 and 0.977; k chosen freely is the exported one, too."""
    conversation = open_conversation(reference_data / "polis" / folder).conversation
    exported_k = len({one.exported_group for one in conversation.participants if one.exported_group})
    index = rand_index(conversation, find_groups(conversation, k=exported_k))
    free = find_groups(conversation)
    print(f"{folder}: k = {exported_k}: {index:.3f}; free: k = {free.k}, {rand_index(conversation, free):.3f}")
    assert index >= 0.75 and index >= at_exported_k
    assert free.k == k
