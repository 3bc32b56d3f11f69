"""`solon collect clean`, on conversations of our own writing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from collective.cleaning.spoilt import EXPECTED, SINCERE, spoilt
from solon.cli.main import app
from solon.collective.reading.folder import Imported, open_conversation, write_imported
from talks import random_rows, talk, write_export


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_imported(Imported(conversation=spoilt(), findings=()), tmp_path / "talk")
    return tmp_path / "talk"


def test_a_cleaned_folder_is_a_conversation_with_its_removals_beside_it(folder: Path, tmp_path: Path) -> None:
    result = collect("clean", folder, "-o", tmp_path / "clean")
    assert result.exit_code == 0, result.output
    assert "speed: 1 removed. Nobody reads a statement so fast" in result.stdout
    assert f"{SINCERE + 1} of 40 participants, 49 of 50 statements" in result.stdout
    rows = rows_of(tmp_path / "clean/removals.csv")
    assert list(rows[0]) == ["rule", "kind", "id", "value", "limit", "detail", "reason"]
    assert [(row["rule"], int(row["id"])) for row in rows] == [
        (rule, one) for rule in EXPECTED for one in EXPECTED[rule]
    ]
    changes = {row["variant"]: row for row in rows_of(tmp_path / "clean/sensitivity.csv")}
    assert len(changes) == 2 + 2 * len(EXPECTED) and changes["none"]["participants"] == "40"
    again = open_conversation(tmp_path / "clean")
    assert len(again.conversation.participants) == SINCERE + 1
    said = [one.what for one in again.findings]
    assert "cleaning removed 3 participants" in said and not any("was changed" in what for what in said)


def test_rules_and_limits_can_be_chosen(folder: Path, tmp_path: Path) -> None:
    options = ["--only", "speed", "--only", "bursts", "--set", "bursts.people=4", "--no-sensitivity"]
    result = collect("clean", folder, "-o", tmp_path / "clean", *options)
    assert result.exit_code == 0, result.output
    assert {row["rule"] for row in rows_of(tmp_path / "clean/removals.csv")} == {"speed"}
    assert not (tmp_path / "clean/sensitivity.csv").exists()


def test_the_order_of_the_export_never_shows(tmp_path: Path) -> None:
    conversation = talk([*random_rows(1, 30, 14, seen=0.8), [1] * 3 + [None] * 11], people=range(50, 81))
    written = []
    for turn in range(3):
        export = write_export(
            conversation, tmp_path / f"{turn}/export", order=np.random.default_rng(turn) if turn else None
        )
        result = collect("clean", export, "-o", tmp_path / f"{turn}/clean")
        assert result.exit_code == 0, result.output
        assert "speed: not applied, the export does not say when votes were cast" in result.stdout
        written.append({path.name: path.read_bytes() for path in sorted((tmp_path / f"{turn}/clean").iterdir())})
    assert {"removals.csv", "sensitivity.csv", "imported.json", "latest.csv"} <= written[0].keys()
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--set", "speed.seconds"], "--set 'speed.seconds' is no limit"),
        (["--set", "speed.seconds=fast"], "is no limit"),
        (["--set", "haste.seconds=1"], "no rule 'haste'"),
        (["--without", "haste"], "no rule 'haste'"),
        (["--set", "minimum-votes.votes=50"], "cleaning would leave nobody"),
    ],
)
def test_faults_take_one_line_and_leave_nothing(folder: Path, tmp_path: Path, options: list[str], said: str) -> None:
    result = collect("clean", folder, "-o", tmp_path / "clean", *options)
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "clean").exists()


def test_a_folder_written_before_is_replaced_only_by_force(folder: Path, tmp_path: Path) -> None:
    command = ["clean", folder, "-o", tmp_path / "clean", "--no-sensitivity"]
    assert collect(*command).exit_code == 0
    assert collect(*command).exit_code == 2
    assert collect(*command, "--force").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean", "talk"]
