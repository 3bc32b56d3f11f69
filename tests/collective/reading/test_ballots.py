from __future__ import annotations

from pathlib import Path

import pytest

from solon.collective.reading.folder import read_ballots
from solon.errors import InputError


def ballots_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "participants-votes.csv"
    path.write_text(text, encoding="utf-8")
    return path


GOOD = "participant,group-id,2,10,1\n7,a,1,,-1\n3,b,0,-1,1.0\n"


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    talk = read_ballots(ballots_file(tmp_path, GOOD), "group-id").conversation
    assert talk.statement_ids.tolist() == [1, 2, 10] and talk.participant_ids.tolist() == [3, 7]
    assert talk.votes_PS.tolist() == [[1, 0, -1], [-1, 1, 0]]
    assert talk.seen_PS.tolist() == [[True, True, True], [True, True, False]]
    assert [one.exported_group for one in talk.participants] == ["b", "a"]


def test_a_group_column_with_a_number_for_a_name_is_no_statement(tmp_path: Path) -> None:
    path = ballots_file(tmp_path, "participant,0,1,2\n1,5,1,1\n2,6,1,-1\n")
    assert read_ballots(path, "0").conversation.statement_ids.tolist() == [1, 2]


def test_another_column_than_the_exported_groups(tmp_path: Path) -> None:
    path = ballots_file(tmp_path, "participant,group-id,camp,2\n1,5,x,1\n2,6,y,-1\n")
    assert [one.exported_group for one in read_ballots(path, "camp").conversation.participants] == ["x", "y"]


def test_without_ids_people_are_numbered_by_row(tmp_path: Path) -> None:
    talk = read_ballots(ballots_file(tmp_path, "group-id,2\na,1\nb,-1\na,\n"), "group-id").conversation
    assert talk.participant_ids.tolist() == [2, 3, 4] and talk.votes_PS.tolist() == [[1], [-1], [0]]


def test_what_is_unusual_is_repaired_as_in_an_export(tmp_path: Path) -> None:
    text = "participant;group-id;1\n1;a;1\n2;b;-1.0\n2;b;-1.0\n"
    found = read_ballots(ballots_file(tmp_path, text), "group-id")
    assert found.conversation.votes_PS.tolist() == [[1], [-1]]
    assert len([one for one in found.findings if one.severity == "repair"]) == 2


@pytest.mark.parametrize(
    "text, fault",
    [
        ("participant,group-id,1\n1,a,1\n2,a,2\n3,b,yes\n", ":3: 1 is not 1, 0, -1 or empty: '2'"),
        ("participant,group-id,1\n1,a,1\n2,a,2\n3,b,yes\n", ":4: 1 is not 1, 0, -1 or empty: 'yes'"),
        ("participant,group-id,1\n1,a,1\n1,a,0\n", ":3: participant 1 again, with other cells than in line 2"),
        ("participant,group-id,1,01\n1,a,1,1\n", ":1: columns with the same name: '1'"),
        ("participant,group-id\n1,a\n", ":1: no column is headed by a statement id"),
        ("participant,group-id,1\n1,a,1,1\n", "4 cells under 3 columns"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ballots(ballots_file(tmp_path, text), "group-id")
    assert fault in str(caught.value)


def test_the_opposite_sign_is_turned_round_and_said(tmp_path: Path) -> None:
    text = "group-id,n-agree,n-disagree,1,2\na,2,0,-1,-1\na,0,2,1,1\n"
    found = read_ballots(ballots_file(tmp_path, text), "group-id")
    assert found.conversation.votes_PS.tolist() == [[1, 1], [-1, -1]]
    assert any("turned round" in one.repair for one in found.findings)


def test_counts_that_fit_neither_sign_say_nothing_about_it(tmp_path: Path) -> None:
    text = "group-id,n-agree,n-disagree,1,2\na,5,0,1,1\na,0,x,1,1\nb,9,3,-1,-1\n"
    assert read_ballots(ballots_file(tmp_path, text), "group-id").conversation.votes_PS.sum() == 2
