from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from server_mathematics import assert_stored_is_computed, served
from solon.collective.conversation import Conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.results import Agreement, Analysis, Representative
from solon.collective.reading.folder import open_conversation
from solon.collective.reading.mathematics import StoredMathematics
from talks import conversation_of, random_rows, talk


def case(
    seed: int, *, sizes: dict[int, int], people: int, statements: int, rejected: Sequence[int] = (), **more: Any
) -> tuple[Conversation, dict[str, Any]]:
    """A conversation with ids that leave gaps, and what a server stores of it. `sizes`: people by group number; every
    third base cluster has two people; whoever is left over is in no group."""
    meta, late = more.get("meta", ()), more.get("late", ())
    person_ids = [3 * one + 2 for one in range(people)]
    statement_ids = [2 * one + 1 for one in range(statements)]
    rows = random_rows(seed, people, statements, seen=more.get("seen", 0.6))
    whole = talk(rows, people=person_ids, statements=statement_ids, moderated=dict.fromkeys(rejected, -1), meta=meta)
    votes = {
        (person, statement): vote
        for person, row in zip(person_ids, rows, strict=True)
        for statement, vote in zip(statement_ids, row, strict=True)
        if vote is not None
    }
    left = np.random.default_rng(seed).permutation(person_ids).tolist()
    groups: dict[int, list[list[int]]] = {}
    for number, size in sizes.items():
        members, left = left[:size], left[size:]
        pairs = [[one] for one in members]
        if len(pairs) > 2:
            pairs = [[*pairs[0], *pairs[1]], *pairs[2:]]
        groups[number] = pairs
    out = sorted({*rejected, *meta})
    blob = served(
        votes,
        people=person_ids,
        statements=[one for one in statement_ids if one not in late],
        groups=groups,
        mod_out=out,
        meta=meta,
        draw=seed,
    )
    return whole, blob


def again(blob: dict[str, Any], conversation: Conversation) -> Analysis:
    return analyse(conversation, stored=StoredMathematics.model_validate(json.loads(json.dumps(blob))))


def by_quantity(found: Analysis) -> dict[str, Agreement]:
    return {one.quantity: one for one in found.agreements}


CASES: dict[str, dict[str, Any]] = {
    "two groups": {"sizes": {0: 14, 1: 9}, "people": 30, "statements": 12},
    "three, numbers with gaps": {"sizes": {2: 8, 5: 12, 11: 10}, "people": 30, "statements": 20},
    "four": {"sizes": {0: 9, 1: 9, 2: 9, 3: 9}, "people": 50, "statements": 15},
    "five, one of one person": {"sizes": {0: 9, 1: 9, 2: 9, 3: 9, 4: 1}, "people": 60, "statements": 25},
    "one group": {"sizes": {0: 20}, "people": 20, "statements": 9},
    "rejected": {"sizes": {0: 15, 1: 15}, "people": 34, "statements": 14, "rejected": [1, 7, 15]},
    "meta": {"sizes": {0: 15, 1: 12}, "people": 30, "statements": 14, "meta": [3, 9]},
    "rejected and meta": {"sizes": {0: 9, 1: 9, 2: 9}, "people": 30, "statements": 14, "meta": [3], "rejected": [3, 5]},
    "all but two rejected": {"sizes": {0: 12, 1: 9}, "people": 30, "statements": 8, "rejected": list(range(1, 13, 2))},
    "few votes each": {"sizes": {0: 25, 1: 20}, "people": 60, "statements": 40, "seen": 0.15},
    "one voter of many": {"sizes": {0: 15, 1: 3}, "people": 18, "statements": 5, "seen": 0.9},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_a_server_would_store_is_computed(name: str, seed: int) -> None:
    conversation, blob = case(seed, **CASES[name])
    found = again(blob, conversation)
    assert_stored_is_computed(found, blob)
    assert [(one.quantity, one.compared, one.differ) for one in found.agreements] == [
        (quantity, len(conversation.statements), 0) for quantity in ("group-aware consensus", "extremity", "priority")
    ]
    assert not [note for note in found.notes if "roups" not in note]
    assert found.groups.names == tuple(str(number) for number in CASES[name]["sizes"])
    listed = [one for number in sorted(map(int, blob["repness"])) for one in blob["repness"][str(number)]]
    np.testing.assert_allclose(list(map(statistics, found.representative)), list(map(stored, listed)))
    majority = [one for way in ("agree", "disagree") for one in blob["consensus"][way]]
    assert [one.p_test for one in found.majority] == pytest.approx([one["p-test"] for one in majority])


def test_what_a_server_stored_is_computed(reference_data: Path) -> None:
    folder = reference_data / "polis/server-below-100"
    talk = open_conversation(folder).conversation
    blob = json.loads((folder / "math-pca2.json").read_text(encoding="utf-8"))
    assert_stored_is_computed(again(blob, talk), blob)


def statistics(one: Representative) -> list[float]:
    return [one.n_success, one.n_trials, one.p_success, one.p_test, one.repness, one.repness_test]


def stored(one: dict[str, Any]) -> list[float]:
    return [one[key] for key in ("n-success", "n-trials", "p-success", "p-test", "repness", "repness-test")]


def test_priorities_that_are_all_49_are_a_known_fault() -> None:
    conversation, blob = case(3, **CASES["meta"])
    right = blob["comment-priorities"]
    found = again(blob | {"comment-priorities": dict.fromkeys(right, 49)}, conversation)
    assert found.priority_S.tolist() == pytest.approx([right[str(one)] for one in conversation.statement_ids], abs=1e-9)
    assert found.priority_S[[1, 4]].tolist() == [49, 49]
    assert [one.quantity for one in found.agreements] == ["group-aware consensus", "extremity"]
    assert "All stored priorities are 49" in found.notes[-1]


def test_other_faults_of_priorities_are_counted() -> None:
    conversation, blob = case(4, **CASES["two groups"])
    right = dict(blob["comment-priorities"])
    blob["comment-priorities"] |= {"1": right["1"] + 0.25, "5": None, "7": 0}
    found = again(blob, conversation)
    assert found.priority_S.tolist() == pytest.approx([right[str(one)] for one in conversation.statement_ids], abs=1e-9)
    priority = by_quantity(found)["priority"]
    assert (priority.compared, priority.differ) == (11, 2)
    assert priority.largest == pytest.approx(max(0.25, right["7"]))


def test_a_difference_is_relative_where_values_exceed_1() -> None:
    conversation, blob = case(4, **CASES["two groups"])
    larger = max(blob["comment-priorities"], key=lambda one: blob["comment-priorities"][one])
    right = blob["comment-priorities"][larger]
    assert right > 2
    for factor, differ in ((1 + 0.9e-9, 0), (1 + 1.1e-9, 1)):
        blob["comment-priorities"][larger] = right * factor
        assert by_quantity(again(blob, conversation))["priority"].differ == differ


@pytest.mark.parametrize("key", ["comment-priorities", "group-aware-consensus"])
@pytest.mark.parametrize("value", [7, "49", {"x": 1}, [1, 2], {"1": float("nan")}])
def test_results_in_an_unknown_form_are_named(key: str, value: Any) -> None:
    _, blob = case(5, **CASES["two groups"])
    with pytest.raises(ValidationError, match=key):
        StoredMathematics.model_validate(blob | {key: value})


def test_results_may_be_missing() -> None:
    conversation, blob = case(6, **CASES["rejected and meta"])
    full = again(blob, conversation)
    for key in ("comment-priorities", "group-aware-consensus", "repness", "consensus", "in-conv", "group-votes"):
        del blob[key]
    for key in ("comment-extremity", "comment-projection"):
        del blob["pca"][key]
    for key in ("x", "y", "count"):
        del blob["base-clusters"][key]
    bare = again(blob, conversation)
    assert bare.agreements == () and bare.notes == full.notes
    np.testing.assert_array_equal(bare.priority_S, full.priority_S)
    assert bare.representative == full.representative


def test_what_was_moderated_out_then_is_what_is_told() -> None:
    conversation, blob = case(7, **CASES["rejected"])
    now = conversation_of(
        [one.model_copy(update={"moderated": 1}) for one in conversation.statements],
        conversation.participants,
        [
            (person.id, one.id, int(conversation.votes_PS[row, column]))
            for row, person in enumerate(conversation.participants)
            for column, one in enumerate(conversation.statements)
            if conversation.seen_PS[row, column]
        ],
    )
    found = again(blob, now)
    assert found.moderated_out_S.sum() == 3
    assert all(one.differ == 0 for one in found.agreements)


def test_statements_and_votes_gone_missing_are_said() -> None:
    conversation, blob = case(8, **CASES["three, numbers with gaps"])
    fewer = again(blob, conversation.select(statements=conversation.statement_ids != 5))
    assert "Stored statements that the conversation lacks: 1 (5)." in fewer.notes
    whole, others = again(blob, conversation), conversation.statement_ids != 5
    np.testing.assert_allclose(fewer.consensus_S[others], whole.consensus_S[others], rtol=1e-14)
    np.testing.assert_allclose(fewer.extremity_S, whole.extremity_S, rtol=1e-14)
    assert by_quantity(fewer)["group-aware consensus"].differ == 1
    people = conversation.participant_ids != blob["base-clusters"]["members"][0][0]
    lost = again(blob, conversation.select(participants=people))
    assert any(note.startswith("People in the stored groups who are not among the votes: 1") for note in lost.notes)
    assert by_quantity(lost)["group-aware consensus"].differ > 0
    assert by_quantity(lost)["extremity"].differ == 0  # from the stored axes
