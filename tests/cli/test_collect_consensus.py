"""`solon collect consensus`, on files of our own writing and on published votes."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from solon.cli.main import app
from talks import talk, write_export
from voters import public

SMALL = "participant,group-id,n-votes,3,1\n7,A,2,1,-1\n2,,1,1,\n5,B,1,0,\n9,A,1,,1\n"
"""A agrees with 3 in 1 of 1 votes and with 1 in 1 of 2; B with 3 in 0 of 1 and has not voted on 1. 2 is in no group."""


def collect(*arguments: str | Path) -> Result:
    """`solon collect consensus ...`; bugs keep their traceback."""
    parts = ["collect", "consensus", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "participants-votes.csv"
    path.write_text(SMALL, encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_smoothed_on_paper(votes: Path, tmp_path: Path) -> None:
    result = collect(votes, "--group-column", "group-id", "-o", tmp_path / "new/out.csv")
    assert result.exit_code == 0, result.output
    header, first, third = (tmp_path / "new/out.csv").read_text(encoding="utf-8").splitlines()
    assert header == "comment-id,group_A_consensus,group_B_consensus,group_aware_consensus"
    assert [float(cell) for cell in first.split(",")] == [1, 2 / 4, 1 / 2, 1 / 4]
    assert [float(cell) for cell in third.split(",")] == [3, 2 / 3, 1 / 3, pytest.approx(2 / 9, abs=1e-15)]
    assert "1 of 4 participants have no group and are left out" in result.stderr


def test_unsmoothed_on_paper(votes: Path, tmp_path: Path) -> None:
    assert collect(votes, "--no-smoothing", "-o", tmp_path / "out.csv").exit_code == 0
    lines = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1:] == ["1,0.5,,", "3,1.0,0.0,0.0"]


def test_intervals_add_columns_and_change_none(votes: Path, tmp_path: Path) -> None:
    assert collect(votes, "-o", tmp_path / "bare.csv").exit_code == 0
    assert collect(votes, "--intervals", "--minimum-votes", "1", "-o", tmp_path / "full.csv").exit_code == 0
    bare, full = rows_of(tmp_path / "bare.csv"), rows_of(tmp_path / "full.csv")
    for before, after in zip(bare, full, strict=True):
        assert after == after | before
    assert [row["few_votes"] for row in full] == ["true", "false"]
    assert [row["group_A_votes"] for row in full] == ["2", "1"]
    assert full[0]["group_B_low"] == full[0]["group_aware_low"] == "", "nobody of B has voted on 1"
    assert float(full[1]["geometric_mean"]) == pytest.approx((2 / 9) ** 0.5)


def test_groups_are_called_as_in_the_file(tmp_path: Path) -> None:
    cells = ["10", "9", "2.0", "the quiet ones", 'say "x", y', "=1+1", "nan", "École"]
    path = tmp_path / "votes.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["camp", "participant", "0"])
        table.writerows([f"  {camp} ", at, 1] for at, camp in enumerate(cells))
    assert collect(path, "--group-column", "camp", "-o", tmp_path / "out.csv").exit_code == 0
    header = list(rows_of(tmp_path / "out.csv")[0])
    order = ["2", "9", "10", "=1+1", "nan", 'say "x", y', "the quiet ones", "École"]
    assert header == ["comment-id", *(f"group_{camp}_consensus" for camp in order), "group_aware_consensus"]


def test_rows_and_columns_in_another_order_give_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    people, statements = 40, 9
    table = rng.choice(["1", "0", "-1", ""], size=(people, statements))
    camps = rng.choice(["b", "a", ""], size=people)
    columns = {"participant": list(map(str, range(people))), "group-id": camps.tolist()}
    columns |= {str(7 * at): table[:, at].tolist() for at in range(statements)}
    written = []
    for turn in range(3):
        rows, names = list(range(people)), list(columns)
        if turn:
            rng.shuffle(rows)
            rng.shuffle(names)
        path = tmp_path / f"{turn}.csv"
        path.write_text(
            "\n".join([",".join(names), *(",".join(columns[name][row] for name in names) for row in rows), ""])
        )
        out = tmp_path / f"out{turn}.csv"
        assert collect(path, "--intervals", "-o", out).exit_code == 0
        written.append(out.read_bytes())
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        (SMALL, ["--group-column", "camp"], "votes.csv:1: no column camp"),
        (SMALL.replace(",A,", ",,").replace(",B,", ",,"), [], "votes.csv: names no opinion groups"),
        (SMALL.replace("5,B,1,0,", "5,B,1,2,"), [], "votes.csv:4: 3 is not 1, 0, -1 or empty: '2'"),
        (SMALL.replace("5,B", "7,B"), [], "votes.csv:4: participant 7 again, with other cells than in line 2"),
        (SMALL.replace("9,A,1,,1", "9,A,1,1"), [], "votes.csv:5: 4 cells under 5 columns"),
        (SMALL.replace(",3,1\n", ",3,03\n"), [], "votes.csv:1: columns with the same name: '3'"),
        (SMALL.replace(",3,1\n", ",x,y\n"), [], "votes.csv:1: no column is headed by a statement id"),
        (SMALL.replace(",B,", ",aware,"), [], "out.csv: a group is called 'aware'"),
        ("", [], "votes.csv: the file is empty"),
        ("participant,group-id,3\n", [], "votes.csv: names no opinion groups"),
    ],
)
def test_faults_take_one_line_and_exit_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, options: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("votes.csv").write_text(text, encoding="utf-8")
    result = collect("votes.csv", *options, "-o", "out.csv")
    assert result.exit_code == 2 and result.stderr.startswith(f"error: {said}"), result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and not Path("out.csv").exists()


def test_the_opposite_sign_is_turned_round(votes: Path, tmp_path: Path) -> None:
    votes.write_text("participant,group-id,n-agree,n-disagree,4,5\n1,a,2,0,-1,-1\n2,b,0,1,1,\n", encoding="utf-8")
    result = collect(votes, "--no-smoothing", "-o", tmp_path / "out.csv")
    assert result.exit_code == 0 and "turned round: +1 means agree" in result.stderr
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[1] == "4,1.0,0.0,0.0"


def test_published_votes_recounted(reference_data: Path, tmp_path: Path) -> None:
    """Every fifth statement of the study, against a recount in plain Python, by the groups that Polis exported."""
    source = reference_data / "ccai-2023/participants-votes.csv"
    for options, name in (([], "smooth.csv"), (["--no-smoothing"], "raw.csv")):
        assert collect(source, "--group-column", "group-id", *options, "-o", tmp_path / name).exit_code == 0
    people = [row for row in rows_of(source) if row["group-id"]]
    groups = sorted({row["group-id"] for row in people})
    smooth, raw = rows_of(tmp_path / "smooth.csv"), rows_of(tmp_path / "raw.csv")
    assert len(smooth) == len(raw) == 1418
    for at in range(0, 1418, 5):
        expected_smooth, expected_raw = [], []
        statement = smooth[at]["comment-id"]
        for group in groups:
            cast = [one[statement] for one in people if one["group-id"] == group and one[statement]]
            agrees = sum(float(vote) == 1 for vote in cast)
            expected_smooth.append((agrees + 1) / (len(cast) + 2))
            expected_raw.append(agrees / len(cast) if cast else float("nan"))
        for row, expected in ((smooth[at], expected_smooth), (raw[at], expected_raw)):
            cells = [float(cell or "nan") for cell in list(row.values())[1:]]
            assert cells == pytest.approx([*expected, float(np.prod(expected))], abs=1e-9, nan_ok=True)


def test_a_folder_is_opened_as_by_every_other_command(tmp_path: Path) -> None:
    conversation, _ = public((12, 9), seed=3)
    write_export(conversation, tmp_path / "export")
    result = collect(tmp_path / "export", "-o", tmp_path / "found.csv")
    assert result.exit_code == 0 and "agreement: " in result.stdout, result.output
    assert re.search(r"^number of groups: 2, chosen in \d+ of 16 tries", result.stdout, re.M), result.output
    table = tmp_path / "groups.csv"
    ids = conversation.participant_ids.tolist()
    members = "".join(f"{one},{'ab'[at % 2]}\n" for at, one in enumerate(ids))
    table.write_text(f"participant,group\n{members}", encoding="utf-8")
    assert collect(tmp_path / "export", "--groups", table, "-o", tmp_path / "given.csv").exit_code == 0
    (first, *_), columns = rows_of(tmp_path / "given.csv"), conversation.seen_PS[:, 0]
    own = columns & (np.arange(21) % 2 == 0)
    agrees = int((conversation.votes_PS[own, 0] == 1).sum())
    assert float(first["group_a_consensus"]) == (agrees + 1) / (own.sum() + 2)
    refused = collect(tmp_path / "export", "--group-column", "camp", "-o", tmp_path / "x.csv")
    assert refused.exit_code == 2 and "--group-column is for one file of votes" in refused.stderr
    refused = collect(tmp_path / "export/participants-votes.csv", "--groups", table, "-o", tmp_path / "x.csv")
    assert refused.exit_code == 2 and "--groups is for the folder of a conversation" in refused.stderr


def test_what_every_group_rejects_is_told_and_measured(tmp_path: Path) -> None:
    rows = [[1, -1, 1 if at % 2 else -1, *[at % 2] * 8] for at in range(40)]
    write_export(talk(rows), tmp_path / "export")
    members = "".join(f"{at},{at % 2}\n" for at in range(40))
    (tmp_path / "groups.csv").write_text(f"participant,group\n{members}", encoding="utf-8")
    given = ["--groups", tmp_path / "groups.csv", "--intervals", "-o", tmp_path / "out.csv"]
    result = collect(tmp_path / "export", *given)
    ranked = "of 11 statements with at least 10 votes in every group"
    assert f"agreement: 1 {ranked} found a majority in every group" in result.stdout, result.output
    assert f"rejection: 1 {ranked} were rejected by a majority of every group: 1" in result.stdout
    disagreement = [float(row["group_aware_disagreement"]) for row in rows_of(tmp_path / "out.csv")]
    assert disagreement[:3] == pytest.approx([(1 / 22) ** 2, (21 / 22) ** 2, 21 / 22 * 1 / 22])
