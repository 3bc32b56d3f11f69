"""`solon collect analyse`, on exports of our own writing and on a server's."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from server_mathematics import served
from solon.cli.main import app
from solon.collective.opinion.analysis import analyse
from talks import random_rows, talk, write_export

FILES = {"statements.csv", "representative.csv", "consensus.csv", "participants.csv", "summary.json", "stability.json"}
FIRST_COLUMNS = [
    "comment-id",
    "group_aware_consensus",
    "extremity",
    "priority",
    "projection_x",
    "projection_y",
]


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_tables_hold_the_analysis(tmp_path: Path) -> None:
    conversation = talk(random_rows(0, 40, 12), moderated={3: -1}, meta=[5])
    result = collect("analyse", write_export(conversation, tmp_path / "export"), "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    found = analyse(conversation)
    rows = rows_of(tmp_path / "out/statements.csv")
    assert list(rows[0])[:6] == FIRST_COLUMNS
    assert [int(row["comment-id"]) for row in rows] == list(range(12))
    for column, values in (
        ("group_aware_consensus", found.consensus_S),
        ("extremity", found.extremity_S),
        ("priority", found.priority_S),
        ("projection_x", found.projection.statements_S2[:, 0]),
        ("projection_y", found.projection.statements_S2[:, 1]),
        ("polarisation", found.polarization_S),
    ):
        assert [float(row[column]) for row in rows] == values.tolist()
    assert [row["moderated_out"] for row in rows if row["comment-id"] in "35"] == ["true", "true"]
    for row in rows:
        product = float(row["group_aware_consensus"])
        assert float(row["geometric_mean"]) == pytest.approx(product ** (1 / found.groups.k))
        assert 0 < float(row["group_aware_low"]) < float(row["group_aware_high"]) < 1
        fewest = min(int(row[f"group_{name}_votes"]) for name in found.groups.names)
        assert row["few_votes"] == str(fewest < 10).lower()
        total = sum(int(row[f"group_{name}_votes"]) for name in found.groups.names)
        assert total <= int(row["votes"]) == sum(int(row[part]) for part in ("agrees", "disagrees", "passes"))
    listed = rows_of(tmp_path / "out/representative.csv")
    assert [(row["group"], int(row["comment-id"])) for row in listed] == [
        (one.group, one.comment_id) for one in found.representative
    ]
    majority = rows_of(tmp_path / "out/consensus.csv")
    assert [(row["direction"], float(row["p_test"])) for row in majority] == [
        (one.direction, one.p_test) for one in found.majority
    ]
    people = rows_of(tmp_path / "out/participants.csv")
    assert [float(row["projection_y"]) for row in people] == found.projection.participants_P2[:, 1].tolist()
    assert sum(row["group"] != "" for row in people) == len(found.groups.participant_ids)
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["vote_sign"] == "+1 agree, -1 disagree, 0 pass" and summary["k"] == found.groups.k
    assert summary["statements_moderated_out"] == 2 and summary["method"] == "polis"
    assert 0 <= summary["polarisation"] <= 1 and summary["notes"] == list(found.notes)


def test_the_order_of_the_export_never_shows(tmp_path: Path) -> None:
    conversation = talk(random_rows(1, 60, 14, seen=0.8), people=range(100, 160), moderated={3: -1})
    for turn in range(3):
        folder = write_export(conversation, tmp_path / f"{turn}", order=np.random.default_rng(turn) if turn else None)
        assert collect("analyse", folder, "-o", tmp_path / f"out{turn}").exit_code == 0
    for name in FILES:
        first, *others = [(tmp_path / f"out{turn}" / name).read_bytes() for turn in range(3)]
        assert all(other == first for other in others), name


def test_an_earlier_analysis_is_replaced_by_force_alone(tmp_path: Path) -> None:
    export = write_export(talk(random_rows(2, 20, 8)), tmp_path / "export")
    assert collect("analyse", export, "--k", "2", "-o", tmp_path / "out").exit_code == 0
    refused = collect("analyse", export, "--k", "3", "-o", tmp_path / "out")
    assert refused.exit_code == 2 and refused.stderr.count("exists already") == 6
    assert json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["k"] == 2
    assert collect("analyse", export, "--k", "3", "--force", "-o", tmp_path / "out").exit_code == 0
    assert json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["k"] == 3


def test_given_groups_are_analysed(tmp_path: Path) -> None:
    export = write_export(talk(random_rows(2, 20, 8)), tmp_path / "export")
    members = "".join(f"{at},{'north' if at < 12 else 'south'}\n" for at in range(20))
    (tmp_path / "groups.csv").write_text(f"participant,group\n{members}", encoding="utf-8")
    result = collect("analyse", export, "--groups", tmp_path / "groups.csv", "-o", tmp_path / "out")
    assert result.exit_code == 0 and "2 groups (north: 12, south: 8)" in result.stdout, result.output
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["method"] == "given" and summary["seed"] is None
    assert json.loads((tmp_path / "out/stability.json").read_text(encoding="utf-8"))["k"] == 2


def test_degenerate_exports_are_noted_not_traced(tmp_path: Path) -> None:
    export = write_export(talk([[1, 1], [1, 1], [1, None]]), tmp_path / "export")
    result = collect("analyse", export, "-o", tmp_path / "out")
    assert result.exit_code == 0 and "note: All votes are alike" in result.stderr


def test_stored_mathematics_of_a_server(reference_data: Path, tmp_path: Path) -> None:
    folder = reference_data / "polis/server-below-100"
    result = collect("analyse", folder, "--math-from", folder / "math-pca2.json", "-o", tmp_path)
    assert result.exit_code == 0, result.output
    blob = json.loads((folder / "math-pca2.json").read_text(encoding="utf-8"))
    place = {one: at for at, one in enumerate(blob["tids"])}
    rows = rows_of(tmp_path / "statements.csv")
    assert len(rows) == len(place)
    for row in rows:
        at = place[int(row["comment-id"])]
        expected = [
            blob["group-aware-consensus"][row["comment-id"]],
            blob["pca"]["comment-extremity"][at],
            blob["comment-priorities"][row["comment-id"]],
            blob["pca"]["comment-projection"][0][at],
            blob["pca"]["comment-projection"][1][at],
        ]
        assert [float(value) for value in list(row.values())[1:6]] == pytest.approx(expected, abs=1e-9, rel=0)
    summary = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert summary["method"] == "stored" and summary["seed"] is None and len(summary["notes"]) == 2
    short = collect("analyse", folder, "--math-from", "math-pca2.json", "-o", tmp_path / "short")
    assert short.exit_code == 0
    assert (tmp_path / "short/statements.csv").read_bytes() == (tmp_path / "statements.csv").read_bytes()


def test_stored_priorities_that_are_wrong_are_said_and_not_written(tmp_path: Path) -> None:
    rows = random_rows(4, 30, 10)
    votes = {(p, s): vote for p, row in enumerate(rows) for s, vote in enumerate(row) if vote is not None}
    groups = {3: [[one] for one in range(16)], 8: [[one] for one in range(16, 30)]}
    blob = served(votes, people=range(30), statements=range(10), groups=groups)
    wrong = blob | {"comment-priorities": dict.fromkeys(blob["comment-priorities"], 49)}
    (tmp_path / "math.json").write_text(json.dumps(wrong), encoding="utf-8")
    export = write_export(talk(rows), tmp_path / "export")
    result = collect("analyse", export, "--math-from", tmp_path / "math.json", "--no-stability", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "stored priority" not in result.stderr
    assert "stored group-aware consensus: 10 compared, 0 differ" in result.stderr
    assert "note: All stored priorities are 49" in result.stderr and "2 groups (3: 16, 8: 14)" in result.stdout
    written = [float(row["priority"]) for row in rows_of(tmp_path / "out/statements.csv")]
    assert written == pytest.approx(list(blob["comment-priorities"].values()), abs=1e-9)
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert [one["differ"] for one in summary["agreements"]] == [0, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--math-from", "math.json"], "math.json: no such file"),
        (["--math-from", "export/comments.csv"], "comments.csv:1: broken JSON"),
        (["--math-from", "empty.json"], "empty.json: `tids`: Field required"),
        (["--math-from", "empty.json", "--k", "2"], "--math-from brings its own groups"),
        (["-o", "empty.json"], "is a file, not a folder"),
    ],
)
def test_faults_exit_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    write_export(talk(random_rows(3, 20, 8)), tmp_path / "export")
    Path("empty.json").write_text("{}", encoding="utf-8")
    result = collect("analyse", "export", "-o", "out", *options)
    assert result.exit_code == 2 and said in result.stderr
    assert not Path("out").exists()
