"""`solon collect population`, on people of our own invention."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from solon.cli.main import app
from talks import talk, write_export

POPULATION = """\
title = "Adults in Redshire"
participants = 200
suppress_below = 5

[attributes.age]
ordered = true
minimum = 30
shares = { young = 40, old = 60 }

[attributes.region]
shares = { north = 0.3, south = 0.5, island = 0.2 }

[[screening]]
column = "resident"
accepted = ["yes"]
"""


def collect(*arguments: str | Path) -> Result:
    """`solon collect ...`; bugs keep their traceback."""
    parts = ["collect", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def people() -> list[str]:
    """100 people: 80 young, 3 on the island; two of them no residents."""
    regions = ["north"] * 57 + ["south"] * 40 + ["island"] * 3
    ages = ["young" if at % 5 else "old" for at in range(100)]
    return [f"{at},{ages[at]},{regions[at]},{'no' if at in (7, 9) else 'yes'}" for at in range(100)]


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    return write_inputs(tmp_path, people())


def write_inputs(folder: Path, rows: list[str]) -> tuple[Path, Path]:
    folder.mkdir(exist_ok=True)
    (folder / "adults.toml").write_text(POPULATION, encoding="utf-8")
    (folder / "attributes.csv").write_text("\n".join(["participant,age,region,resident", *rows, ""]), encoding="utf-8")
    return folder / "adults.toml", folder / "attributes.csv"


def votes(seed: int = 0) -> list[list[int | None]]:
    draws = np.random.default_rng(seed)
    return draws.choice([1, -1, 0], size=(101, 6), p=[0.5, 0.4, 0.1]).tolist()


def test_gaps_may_be_published_and_everything_else_lies_apart(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    result = collect("population", *inputs, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    public = {row["category"]: row for row in rows_of(tmp_path / "out/gaps.csv")}
    assert public["island"]["people"] == "" and public["north"]["people"] + public["south"]["people"] != ""
    assert sum(row["people"] == "" for row in public.values()) == 2
    exact = {row["category"]: row for row in rows_of(tmp_path / "out/organiser/gaps.csv")}
    assert exact["island"]["people"] == "3" and exact["old"]["below_minimum"] == "true"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["gaps.csv", "organiser"]
    names = sorted(path.name for path in (tmp_path / "out/organiser").iterdir())
    assert names == ["gaps.csv", "weighting.csv", "weights.csv"]


def test_what_is_the_organisers_can_be_read_by_nobody_else(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    assert collect("population", *inputs, "-o", tmp_path / "out").exit_code == 0
    organiser = tmp_path / "out/organiser"
    assert organiser.stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in organiser.iterdir())


def test_the_screen_hides_small_counts_unless_told_otherwise(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    shy = collect("population", *inputs, "-o", tmp_path / "out").stdout
    assert "screened out by resident: fewer than 5" in shy and "hidden" in shy and "largest weight" not in shy
    assert "98 participants; 200 are wanted" in shy
    exact = collect("population", *inputs, "-o", tmp_path / "exact", "--exact").stdout
    assert "screened out by resident: 2" in exact and "hidden" not in exact and "largest weight" in exact


def test_weights_fit_the_quotas(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    assert collect("population", *inputs, "-o", tmp_path / "out", "--cap", "0").exit_code == 0
    weights = {row["participant"]: float(row["weight"]) for row in rows_of(tmp_path / "out/organiser/weights.csv")}
    assert len(weights) == 98
    island = sum(weights[row.split(",")[0]] for row in people() if "island" in row)
    assert island / sum(weights.values()) == pytest.approx(0.2, abs=1e-6)


def test_estimates_with_a_conversation(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    export = write_export(talk(votes()), tmp_path / "export")
    result = collect("population", *inputs, "--conversation", export, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "voted, but not in the attributes: fewer than 5 (every attribute unknown)" in result.stdout
    public, full = rows_of(tmp_path / "out/estimates.csv"), rows_of(tmp_path / "out/organiser/estimates.csv")
    assert list(public[0]) == ["comment-id", "voters", "agree_share", "weighted_share", "low", "high"]
    for short, long in zip(public, full, strict=True):
        assert short["voters"] == long["voters"] == "99"
        for name in ("agree_share", "weighted_share", "low", "high"):
            assert float(short[name]) == pytest.approx(float(long[name]), abs=0.005) and len(short[name]) <= 4
        assert float(long["low"]) < float(long["weighted_share"]) < float(long["high"])


def test_few_voters_and_small_sides_are_not_published(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    """Statement 0 has 4 voters; 1 has 2 people against it; 2 has nobody against it; on 3 nobody voted."""
    rows: list[list[int | None]] = [[1 if at < 4 else None, -1 if at < 2 else 1, 1, None] for at in range(101)]
    export = write_export(talk(rows), tmp_path / "export")
    assert collect("population", *inputs, "--conversation", export, "-o", tmp_path / "out").exit_code == 0
    cells = [list(row.values()) for row in rows_of(tmp_path / "out/estimates.csv")]
    assert cells[0] == ["0", *[""] * 5] and cells[3] == ["3", *[""] * 5]
    assert cells[1] == ["1", "99", "0.98", "", "", ""]
    assert cells[2][:4] == ["2", "99", "1.0", "1.0"]


def test_gaps_are_written_where_no_weights_exist(tmp_path: Path) -> None:
    inputs = write_inputs(tmp_path, [row for row in people() if "island" not in row])
    result = collect("population", *inputs, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert "adults.toml:11: region: nobody in 'island', so nobody can stand for it" in result.stderr
    assert (tmp_path / "out/gaps.csv").is_file() and not (tmp_path / "out/organiser/weights.csv").exists()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_never_shows(inputs: tuple[Path, Path], tmp_path: Path, seed: int) -> None:
    written = []
    rows = people()
    for turn in range(2):
        export = write_export(
            talk(votes()), tmp_path / f"{turn}/export", order=np.random.default_rng(seed) if turn else None
        )
        if turn:
            random.Random(seed).shuffle(rows)
        files = write_inputs(tmp_path / f"{turn}", rows)
        assert collect("population", *files, "--conversation", export, "-o", tmp_path / f"{turn}/out").exit_code == 0
        out = tmp_path / f"{turn}/out"
        written.append({path.relative_to(out): path.read_bytes() for path in out.rglob("*.csv")})
    assert len(written[0]) == 6 and written[0] == written[1]


@pytest.mark.parametrize("cap", ["1", "-2", "nan"])
def test_a_cap_that_is_none(inputs: tuple[Path, Path], tmp_path: Path, cap: str) -> None:
    result = collect("population", *inputs, "-o", tmp_path / "out", "--cap", cap)
    assert result.exit_code == 2 and "--cap is" in result.stderr and not (tmp_path / "out").exists()


def test_tables_written_before_are_replaced_only_by_force(inputs: tuple[Path, Path], tmp_path: Path) -> None:
    assert collect("population", *inputs, "-o", tmp_path / "out").exit_code == 0
    again = collect("population", *inputs, "-o", tmp_path / "out")
    assert again.exit_code == 2 and "was written before" in again.stderr
    assert collect("population", *inputs, "-o", tmp_path / "out", "--force").exit_code == 0


def test_every_fault_of_a_file_in_one_go(tmp_path: Path) -> None:
    target, attributes = write_inputs(tmp_path, ["1,young,north,yes", "x,young,west,yes", "2,mid,north,yes"])
    result = collect("population", target, attributes, "-o", tmp_path / "out")
    assert result.exit_code == 2
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 3 and all("attributes.csv:" in line for line in lines)
    target.write_text(POPULATION.replace("60", "90").replace("0.2", "0.4"), encoding="utf-8")
    lines = collect("population", target, attributes, "-o", tmp_path / "out").stderr.strip().splitlines()
    assert len(lines) == 2 and "adults.toml:8: " in lines[0] and "adults.toml:11: " in lines[1]
