"""`solon collect groups`, on exports of our own writing."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from solon.cli.main import app
from talks import random_rows, talk, write_export

PEOPLE = [4 * one + 1 for one in range(40)]


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_export(talk(random_rows(0, 40, 12), people=PEOPLE), tmp_path / "export")


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_row_for_everybody_in_a_group(export: Path, tmp_path: Path) -> None:
    result = collect("groups", export, "--k", "2", "-o", tmp_path / "new/groups.csv")
    assert result.exit_code == 0, result.output
    rows = rows_of(tmp_path / "new/groups.csv")
    assert list(rows[0]) == ["participant", "group"]
    ids = [int(row["participant"]) for row in rows]
    assert ids == sorted(ids) and set(ids) <= set(PEOPLE) and len(ids) >= 15
    sizes = [sum(row["group"] == group for row in rows) for group in ("0", "1")]
    assert sum(sizes) == len(rows) and sizes[0] >= sizes[1] > 0
    assert f"{len(rows)} people in 2 groups (0: {sizes[0]}, 1: {sizes[1]})" in result.stdout
    assert "2 groups: silhouette" in result.stderr


def test_one_group_is_one_group(export: Path, tmp_path: Path) -> None:
    result = collect("groups", export, "--k", "1", "--no-stability", "-o", tmp_path / "groups.csv")
    count = len(rows_of(tmp_path / "groups.csv"))
    assert result.exit_code == 0 and f"{count} people in 1 group (0: {count})" in result.stdout


@pytest.mark.parametrize("method", ["polis", "ccai"])
def test_the_order_of_the_export_never_shows(tmp_path: Path, method: str) -> None:
    conversation = talk(random_rows(1, 60, 40, seen=0.8), people=range(100, 160))  # ccai asks for more than 25 votes
    written = []
    for turn in range(3):
        folder = write_export(conversation, tmp_path / f"{turn}", order=np.random.default_rng(turn) if turn else None)
        output = tmp_path / f"{turn}.csv"
        result = collect("groups", folder, "--method", method, "--seed", "2", "-o", output)
        assert result.exit_code == 0, result.output
        written.append(output.read_bytes())
    assert written[0] == written[1] == written[2]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--k", "0"], "--k"),
        (["--k", "41"], "41 groups asked for, but people stand in"),
        (["--method", "other"], "--method"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_faults_take_one_line_and_exit_with_2(export: Path, tmp_path: Path, options: list[str], said: str) -> None:
    result = collect("groups", export, *options, "-o", tmp_path / "groups.csv")
    assert result.exit_code == 2 and said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "groups.csv").exists()


def test_a_missing_export(tmp_path: Path) -> None:
    result = collect("groups", tmp_path / "none", "-o", tmp_path / "groups.csv")
    assert result.exit_code == 2 and "none" in result.stderr


def test_an_output_that_is_a_folder(export: Path, tmp_path: Path) -> None:
    result = collect("groups", export, "-o", tmp_path)
    assert result.exit_code == 2 and "cannot be written" in result.stderr


def test_what_is_there_is_overwritten_by_force_alone(export: Path, tmp_path: Path) -> None:
    output = tmp_path / "groups.csv"
    (tmp_path / "groups-stability.json").write_text("mine", encoding="utf-8")
    result = collect("groups", export, "--no-stability", "-o", output)
    assert result.exit_code == 2 and not output.exists()
    said = "groups-stability.json: exists already (choose another name with -o, or add --force to overwrite it)"
    assert said in " ".join(result.stderr.split())
    assert (tmp_path / "groups-stability.json").read_text(encoding="utf-8") == "mine"
    assert collect("groups", export, "--force", "-o", output).exit_code == 0 and output.exists()
