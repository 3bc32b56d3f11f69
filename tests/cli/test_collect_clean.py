"""`solon collect clean`, on conversations of our own writing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from collective.cleaning.spoilt import EXPECTED, SINCERE, spoilt
from solon.cli.collect.clean import picture
from solon.cli.main import app
from solon.collective.cleaning.removing import Change
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation, write_import
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
    write_import(Import(conversation=spoilt(), findings=()), tmp_path / "talk")
    return tmp_path / "talk"


def test_a_cleaned_folder_is_a_conversation_with_its_removals_beside_it(folder: Path, tmp_path: Path) -> None:
    result = collect("clean", folder, "-o", tmp_path / "clean")
    assert result.exit_code == 0, result.output
    assert "speed: 1 person removed. Nobody reads a statement so fast" in result.stdout
    assert "repeated-statements: 1 statement removed. " in result.stdout
    assert result.stdout.startswith("Opinion groups: ") or result.stdout.startswith("Cleaning changes the number of")
    assert "without" not in result.stderr and "removed nothing" not in result.stdout.lower()
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
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "speed",
        "Removed nothing",
        str(tmp_path / "clean"),
        "removals.csv says who was removed",
    ]


def test_where_nothing_is_removed_one_line_says_so(tmp_path: Path) -> None:
    conversation = talk(random_rows(1, 30, 14, seen=0.9))
    result = collect("clean", write_export(conversation, tmp_path / "export"), "-o", tmp_path / "clean")
    assert result.exit_code == 0 and result.stderr == ""
    assert result.stdout.splitlines() == [
        "Removed nothing: minimum-votes, same-answer, spam-authors, identical-votes, repeated-statements.",
        "Not applied, as the export does not say when votes were cast: long-runs, speed, bursts.",
        f"{tmp_path / 'clean'}: 30 of 30 participants, 14 of 14 statements, {int(conversation.seen_PS.sum())} votes",
    ]


def change(variant: str, groups: int, same: float = 1.0, moved: float = 0.0, at: int = 0) -> Change:
    return Change(
        variant=variant,
        participants=100,
        statements=20,
        groups=groups,
        same_groups=same,
        consensus_max=moved,
        consensus_max_statement=at,
    )


def test_the_picture_begins_with_the_number_of_groups_and_what_decides_it() -> None:
    changes = [
        change("all", 2),
        change("none", 4, 0.3, 0.2, 5),
        change("without speed", 4, 0.3, 0.25, 7),
        change("without bursts", 4, 0.5, 0.1, 8),
        change("without spam-authors", 4, 0.5, 0.1, 8),
        change("without same-answer", 2, 0.474, 0.2, 9),
        change("without minimum-votes", 2, 0.8, 0.01, 9),
        change("without long-runs", 2, 0.08, 0.01, 9),
        change("only speed", 3, 0.1, 0.9, 1),
    ]
    assert [*picture(changes)] == [
        "Cleaning changes the number of opinion groups: 4 before, 2 after.",
        "Without the rule speed, bursts or spam-authors there would be 4.",
        "Without the rule same-answer or long-runs there would be 2 as well, but of other people"
        " (likeness 0.08 to 0.47; 1: the same, 0: by chance).",
        "Consensus changes most without the rule speed: by 0.25 on statement 7.",
    ]


def test_a_picture_that_stays_takes_one_line() -> None:
    assert [*picture([change("all", 3), change("none", 3, 0.95), change("without speed", 3)])] == [
        "Opinion groups: 3 before cleaning and after."
    ]
    assert [*picture([change("all", 3), change("none", 3, 0.5), change("without speed", 3)])] == [
        "Opinion groups: 3 before cleaning and after, but of other people (likeness 0.50; 1: the same, 0: by chance)."
    ]


def test_a_picture_that_could_not_be_measured_says_why() -> None:
    none = Change(variant="none", participants=1, statements=1, note="nobody has voted")
    assert [*picture([change("all", 3), none])] == ["What cleaning changes could not be measured: nobody has voted"]
    assert [*picture([])] == []


def test_the_order_of_the_export_never_shows(tmp_path: Path) -> None:
    conversation = talk([*random_rows(1, 30, 14, seen=0.8), [1] * 3 + [None] * 11], people=range(50, 81))
    written = []
    for turn in range(3):
        export = write_export(
            conversation, tmp_path / f"{turn}/export", order=np.random.default_rng(turn) if turn else None
        )
        result = collect("clean", export, "-o", tmp_path / f"{turn}/clean")
        assert result.exit_code == 0, result.output
        assert (
            "Not applied, as the export does not say when votes were cast: long-runs, speed, bursts." in result.stdout
        )
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
