from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solon.collective.conversation import Conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.results import Analysis
from solon.collective.reading.mathematics import StoredMathematics, read_stored
from solon.errors import InputError
from talks import random_rows, talk

PEOPLE = [3, 5, 8, *range(20, 45)]
STATEMENTS = [2, 4, 7, 9, 12, 30, 31, 32, 40]


def conversation() -> Conversation:
    rows = random_rows(7, len(PEOPLE), len(STATEMENTS))
    return talk(rows, people=PEOPLE, statements=STATEMENTS, moderated={4: -1}, meta=[9])


def blob_of(analysis: Analysis) -> dict[str, Any]:
    """The analysis as a server stores it: agree is -1, groups hold base clusters, base clusters stand in columns."""
    talk_, groups, seen_order = analysis.conversation, analysis.groups, np.random.default_rng(0).permutation(9)
    ids = talk_.statement_ids[seen_order]
    people = groups.participant_ids.tolist()
    return {
        "n": len(talk_.participants),
        "tids": ids.tolist(),
        "pca": {
            "center": (-analysis.projection.center_S[seen_order]).tolist(),
            "comps": (-analysis.projection.components_2S[:, seen_order]).tolist(),
        },
        "base-clusters": {"id": [100 + i for i in range(len(people))], "members": [[one] for one in people]},
        "group-clusters": [
            {"id": 4 + g, "members": [100 + i for i in np.flatnonzero(groups.labels_G == g).tolist()]}
            for g in reversed(range(groups.k))
        ],
        "mod-out": [4, 9],
        "meta-tids": [9],
        "group-aware-consensus": {
            str(one): float(value) for one, value in zip(talk_.statement_ids, analysis.consensus_S, strict=True)
        },
        "comment-priorities": {
            str(one): float(value) for one, value in zip(talk_.statement_ids, analysis.priority_S, strict=True)
        },
        "anything": {"else": None},
    }


@pytest.fixture
def found() -> Analysis:
    return analyse(conversation())


@pytest.fixture
def blob(found: Analysis) -> dict[str, Any]:
    return blob_of(found)


def again(blob: dict[str, Any], votes: Conversation | None = None) -> Analysis:
    stored = StoredMathematics.model_validate(json.loads(json.dumps(blob)))
    return analyse(votes or conversation(), stored=stored)


def unexpected(found: Analysis) -> list[str]:
    """Notes other than that the groups are stored ones, and whom they leave out."""
    return [note for note in found.notes if not note.startswith(("Groups as the server stored", "These groups leave"))]


def assert_same(one: Analysis, other: Analysis) -> None:
    for name in ("consensus_S", "extremity_S", "priority_S", "polarization_S"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-12)
    np.testing.assert_allclose(one.projection.participants_P2, other.projection.participants_P2, atol=1e-12)
    np.testing.assert_allclose(one.projection.statements_S2, other.projection.statements_S2, atol=1e-12)
    np.testing.assert_allclose(one.projection.variance_2, other.projection.variance_2, atol=1e-12)
    assert one.majority == other.majority


def test_what_was_stored_is_found_again(found: Analysis, blob: dict[str, Any]) -> None:
    after = again(blob)
    assert_same(after, found)
    assert unexpected(after) == [] and after.groups.method == "stored"
    assert after.groups.names == tuple(str(4 + g) for g in range(found.groups.k))
    np.testing.assert_array_equal(after.groups.participant_ids, found.groups.participant_ids)
    np.testing.assert_array_equal(after.groups.labels_G, found.groups.labels_G)
    listed = [one.model_copy(update={"group": str(int(one.group) - 4)}) for one in after.representative]
    assert tuple(listed) == found.representative


def test_stored_signs_are_kept(found: Analysis, blob: dict[str, Any]) -> None:
    blob["pca"]["comps"][0] = [-one for one in blob["pca"]["comps"][0]]
    after = again(blob)
    np.testing.assert_allclose(after.projection.statements_S2 * [-1, 1], found.projection.statements_S2, atol=1e-12)


def test_base_clusters_may_stand_in_rows(found: Analysis, blob: dict[str, Any]) -> None:
    columns = blob["base-clusters"]
    rows = [{"id": i, "members": m, "x": 0.5} for i, m in zip(columns["id"], columns["members"], strict=True)]
    assert_same(again(blob | {"base-clusters": rows}), found)


def test_optional_parts_may_be_missing(found: Analysis, blob: dict[str, Any]) -> None:
    for key in ("mod-out", "meta-tids", "group-aware-consensus", "comment-priorities", "n"):
        del blob[key]
    after = again(blob)
    assert_same(after, found)
    assert unexpected(after) == []


def test_what_it_moderated_out_counts_not_what_is_rejected_now(found: Analysis, blob: dict[str, Any]) -> None:
    now = talk(random_rows(7, len(PEOPLE), len(STATEMENTS)), people=PEOPLE, statements=STATEMENTS)
    assert_same(again(blob, now), found)


def test_a_file_in_our_sign_is_taken_as_it_is(found: Analysis, blob: dict[str, Any]) -> None:
    axes = blob["pca"]
    axes["center"] = [-one for one in axes["center"]]
    axes["comps"] = [[-one for one in row] for row in axes["comps"]]
    after = again(blob)
    assert_same(after, found)
    assert unexpected(after) == ["The stored mathematics has agree as +1, unlike a server's; it was taken as it is."]


def test_votes_of_the_opposite_sign_are_refused(blob: dict[str, Any]) -> None:
    rows = [[None if v is None else -v for v in row] for row in random_rows(7, len(PEOPLE), len(STATEMENTS))]
    with pytest.raises(InputError, match="opposite sign"):
        again(blob, talk(rows, people=PEOPLE, statements=STATEMENTS))


def test_people_and_statements_of_one_side_only(found: Analysis, blob: dict[str, Any]) -> None:
    blob["base-clusters"]["members"][0].append(999)
    del blob["comment-priorities"]
    blob["tids"].append(77)
    blob["pca"]["center"].append(0.0)
    for row in blob["pca"]["comps"]:
        row.append(0.0)
    wider = again(blob)
    assert unexpected(wider) == [
        "Stored statements that the conversation lacks: 1 (77).",
        "People in the stored groups who are not among the votes: 1 (999).",
        "Statements without any vote: 1. They stand at the origin and are in no list.",
    ]
    # one column more that nobody saw: every place is stretched by √(10/9)
    np.testing.assert_allclose(wider.projection.participants_P2, found.projection.participants_P2 * (10 / 9) ** 0.5)
    blob["mod-out"].append(77)  # now everybody has seen it
    seen = again(blob)
    n = conversation().seen_PS | np.isin(STATEMENTS, [4, 9])
    factor = np.sqrt(10 / (n.sum(axis=1) + 1)) / np.sqrt(9 / n.sum(axis=1))
    np.testing.assert_allclose(
        seen.projection.participants_P2, found.projection.participants_P2 * factor[:, None], atol=1e-12
    )


def test_a_later_statement_has_no_place(blob: dict[str, Any]) -> None:
    rows = [[1, *row] for row in random_rows(7, len(PEOPLE), len(STATEMENTS))]
    later = talk(rows, people=PEOPLE, statements=[1, *STATEMENTS], moderated={4: -1}, meta=[9])
    after = again(blob, later)
    assert after.extremity_S[0] == 0 and after.consensus_S[0] > 0
    assert unexpected(after) == [
        "Statements with votes that the stored mathematics lacks: 1. They stand in the middle."
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pca": None}, "`pca`: Input should be"),
        ({"tids": [1, 2]}, "needs 2 numbers in each"),
        ({"tids": [2] * 9}, "names a statement twice"),
        ({"group-clusters": []}, "`group-clusters`: List should have at least 1 item"),
        ({"group-clusters": [{"id": 0, "members": [5]}]}, "group 0 has a member that is no base cluster"),
        ({"base-clusters": {"id": [1]}}, "`base-clusters`: Input should be a valid list"),
        ({"base-clusters": {"id": [100, 100], "members": [[1], [1]]}}, "stands in two places|no base cluster"),
        ({"base-clusters": 7}, "`base-clusters`"),
        ({"comment-priorities": {"x": 1}}, "`comment-priorities.x"),
    ],
)
def test_faults_name_their_key(tmp_path: Path, blob: dict[str, Any], change: dict[str, Any], said: str) -> None:
    path = tmp_path / "math-pca2.json"
    path.write_text(json.dumps(blob | change), encoding="utf-8")
    with pytest.raises(InputError, match=said) as fault:
        read_stored(path)
    assert str(path) in str(fault.value) and "\n\n" not in str(fault.value)


@pytest.mark.parametrize("text", ["", "[1]", '{"tids": [', "null", "\x00", "[" * 100_000, '{"tids": 1e999}'])
def test_what_is_no_such_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "math-pca2.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_stored(path)


def test_missing_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_stored(tmp_path / "none.json")
    (tmp_path / "m.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="UTF-16"):
        read_stored(tmp_path / "m.json")


@pytest.mark.parametrize("other", [{"people": range(100, 128)}, {"statements": range(100, 109)}])
def test_another_conversation_is_refused(blob: dict[str, Any], other: dict[str, Any]) -> None:
    ids = {"people": PEOPLE, "statements": STATEMENTS} | other
    with pytest.raises(InputError, match="of another one"):
        again(blob, talk(random_rows(7, len(PEOPLE), len(STATEMENTS)), **ids))
