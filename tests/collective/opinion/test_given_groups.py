"""Groups from a table, and groups of the export."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solon.collective.conversation import Conversation
from solon.collective.opinion.given_groups import exported_beside, exported_groups, groups_from_file, number_of_groups
from solon.errors import InputError
from talks import talk


@pytest.fixture
def conversation() -> Conversation:
    return talk([[1, 0], [-1, None], [None, None], [1, 1]], people=[3, 5, 8, 13])


def test_a_table_in_any_order(conversation: Conversation, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("group,participant\nb, 13\n10,3\n,8\n9 ,5\n", encoding="utf-8")
    found = groups_from_file(path, conversation)
    assert found.names == ("9", "10", "b") and found.participant_ids.tolist() == [3, 5, 13]
    assert found.labels_G.tolist() == [1, 0, 2] and found.method == "given" and "groups.csv" in found.notes[0]


def test_a_table_by_external_ids(conversation: Conversation, tmp_path: Path) -> None:
    people = [one.model_copy(update={"xid": f"x{one.id}"}) for one in conversation.participants]
    known = replace(conversation, participants=tuple(people))
    path = tmp_path / "groups.csv"
    path.write_text("xid,group\nx13,b\nx3,a\n", encoding="utf-8")
    assert groups_from_file(path, known).participant_ids.tolist() == [3, 13]
    path.write_text("xid,group\nx4,b\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"groups\.csv:2: the conversation has no such xid: 'x4'"):
        groups_from_file(path, known)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("participant,group\n3,a\n4,a\n", "groups.csv:3: the conversation has no such participant: '4'"),
        ("participant,group\n3,a\n3,a\n", "groups.csv:3: a participant stands here twice: '3'"),
        ("participant,group\n3,\n", "groups.csv: names no opinion groups"),
        ("participant,camp\n3,a\n", "groups.csv:1: no column group"),
        ("participant,group\nthree,a\n", "groups.csv:2: participant is not a whole number: 'three'"),
    ],
)
def test_faults_name_the_line(conversation: Conversation, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        groups_from_file(path, conversation)
    assert said in str(caught.value)


def test_a_column_that_is_different_for_everybody_is_no_group(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("participant,group\n" + "".join(f"{at},name {at}\n" for at in range(60)), encoding="utf-8")
    with pytest.raises(InputError, match="names 60 groups, such as 'name 0'"):
        groups_from_file(path, talk([[1]] * 60))


def test_exported_groups_keep_their_names(conversation: Conversation) -> None:
    names = ("1", None, "0", "1")
    people = tuple(
        one.model_copy(update={"exported_group": name})
        for one, name in zip(conversation.participants, names, strict=True)
    )
    found = exported_groups(replace(conversation, participants=people))
    assert found.names == ("0", "1") and found.participant_ids.tolist() == [3, 8, 13]
    assert found.labels_G.tolist() == [1, 0, 1] and found.method == "exported"
    with pytest.raises(InputError, match=r"^the export: names no opinion groups \(name"):
        exported_groups(conversation)


def test_the_exports_own_groups_are_named_beside_others(conversation: Conversation) -> None:
    """Of 3, 5 and 13, who are in a group both times, 3 and 13 are together in one and 5 and 13 in the other."""
    own = {3: "0", 5: "0", 13: "1", 8: None}
    people = tuple(one.model_copy(update={"exported_group": own[one.id]}) for one in conversation.participants)
    exported = replace(conversation, participants=people)
    given = replace(exported_groups(exported), labels_G=np.array([0, 1, 1]), method="polis", tries={2: 9, 3: 7})
    beside = exported_beside(exported, given)
    assert beside is not None and (beside.k, beside.people) == (2, 3)
    assert beside.kept_share == pytest.approx(2 / 3) and beside.likeness == pytest.approx(-0.5)
    assert number_of_groups(exported, given) == (
        "number of groups: 2, chosen in 9 of 16 tries (3 in 7); the export has 2, and 67% of 3 people are in the "
        "same group there"
    )
    assert number_of_groups(conversation, replace(given, tries={2: 16})).endswith("2, chosen in 16 of 16 tries")
    assert exported_beside(conversation, given) is None
    assert number_of_groups(exported, exported_groups(exported)) == "number of groups: 2"
