from __future__ import annotations

from pathlib import Path

import pytest

from solon.collective.opinion.ballots import read_ballots
from solon.errors import InputError


def ballots_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "participants-votes.csv"
    path.write_text(text, encoding="utf-8")
    return path


GOOD = "participant,group-id,2,10,1\n7,a,1,,-1\n3,b,0,-1,1.0\n"


def test_columns_are_found_by_name_and_rows_keep_their_order(tmp_path: Path) -> None:
    talk, groups = read_ballots(ballots_file(tmp_path, GOOD), "group-id")
    assert talk.statement_ids.tolist() == [1, 2, 10]
    assert talk.votes_PS.tolist() == [[-1, 1, 0], [1, 0, -1]]
    assert talk.seen_PS.tolist() == [[True, True, False], [True, True, True]]
    assert groups.names == ("a", "b") and groups.labels_G.tolist() == [0, 1]


def test_a_group_column_with_a_number_for_a_name_is_no_statement(tmp_path: Path) -> None:
    path = ballots_file(tmp_path, "participant,0,1,2\n1,5,1,1\n2,6,1,-1\n")
    assert read_ballots(path, "0")[0].statement_ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    "text, fault",
    [
        ("participant,group-id,1\n1,a,1\n2,a,2\n3,b,yes\n", ":3: the vote on statement 1 is '2'"),
        ("participant,group-id,1\n1,a,1\n2,a,2\n3,b,yes\n", ":4: the vote on statement 1 is 'yes'"),
        ("participant,group-id,1\n1,a,1\n1,a,0\n", ":3: participant '1' again, as in line 2"),
        ("participant,group-id,1,01\n1,a,1,1\n", ":1: columns '1' and '01' are the same statement"),
        ("participant,group-id\n1,a\n", ":1: no column is headed by a statement id"),
        ("participant,group-id,1\n1,a,1,1\n", ":2: 4 cells under 3 columns"),
        ("group-id,n-agree,n-disagree,1,2\na,2,0,-1,-1\na,0,2,1,1\n", "the signs are turned round"),
    ],
)
def test_faults_name_their_line(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        read_ballots(ballots_file(tmp_path, text), "group-id")
    assert fault in str(caught.value)


def test_counts_that_fit_neither_sign_say_nothing_about_it(tmp_path: Path) -> None:
    text = "group-id,n-agree,n-disagree,1,2\na,5,0,1,1\na,0,x,1,1\nb,9,3,-1,-1\n"
    assert read_ballots(ballots_file(tmp_path, text), "group-id")[0].votes_PS.sum() == 2


def test_many_faults_are_counted(tmp_path: Path) -> None:
    text = "group-id,1\n" + "".join(f"{at},x\n" for at in range(50))
    with pytest.raises(InputError) as caught:
        read_ballots(ballots_file(tmp_path, text), "group-id")
    assert len(caught.value.faults) == 21
    assert "and 30 more" in str(caught.value)
