"""`solon collect reproduce-ccai`, on the study's own export."""

from __future__ import annotations

import csv
import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from solon.cli.main import app

PUBLISHED_LABELS = "f679052662464dfacfa69c48286f8aa2616e58662f147a9d11d3972ab239da3f"
"""sha256 of the 1,002 group numbers of the study's published table, row by row as it was published."""
ABOVE = {  # both groups above: (as published, corrected)
    "0.50": (251, 235),
    "0.60": (233, 219),
    "0.65": (213, 205),
    "0.70": (196, 185),
    "0.75": (180, 157),
    "0.80": (135, 126),
    "0.85": (82, 81),
    "0.90": (33, 31),
    "0.95": (2, 3),
}
DIVISIVE = {14: (0.81, 0.13, 0.53, 0.59), 15: (0.84, 0.16, 0.57, 0.61), 17: (0.81, 0.23, 0.57, 0.62)}
"""Corrected in groups 0 and 1, published in groups 0 and 1."""


def collect(*arguments: str | Path) -> Result:
    """`solon collect reproduce-ccai ...`; bugs keep their traceback."""
    parts = ["collect", "reproduce-ccai", *(str(part) for part in arguments)]
    return CliRunner().invoke(app, parts, prog_name="solon", catch_exceptions=False)


@pytest.fixture(scope="module")
def done(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    out = tmp_path_factory.mktemp("study") / "out"
    return collect(reference_data / "ccai-2023", "-o", out), out


@pytest.fixture(scope="module")
def summary(done: tuple[Result, Path]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((done[1] / "summary.json").read_text(encoding="utf-8"))
    return found


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def consensus(path: Path) -> np.ndarray:
    """[S, 2]."""
    return np.array([[float(row[f"group_{group}_consensus"]) for group in (0, 1)] for row in rows_of(path)])


def test_people_and_statements_to_the_last(done: tuple[Result, Path], summary: dict[str, Any]) -> None:
    assert done[0].exit_code == 0, done[0].output
    assert "participants: 1126 exported, 1002 kept" in done[0].stdout
    assert "statements: 1418 exported, 275 kept" in done[0].stdout
    assert summary["dropped"] == {
        "participants_with_25_votes_or_fewer": 91,
        "participants_thrown_out": 33,
        "statements_rejected": 655,
        "statements_never_moderated": 488,
    }
    assert summary["votes"]["cast"] == 34_563 and summary["votes"]["agree"] == pytest.approx(0.789, abs=5e-4)
    assert summary["votes"]["per_statement"] == {"fewest": 23, "median": 81.0, "most": 980}


def test_the_files_have_the_studys_columns(done: tuple[Result, Path]) -> None:
    for name in ("published.csv", "corrected.csv"):
        rows = rows_of(done[1] / name)
        assert list(rows[0]) == ["comment-id", "group_0_consensus", "group_1_consensus"] and len(rows) == 275
        ids = [int(row["comment-id"]) for row in rows]
        assert ids == sorted(ids)
    full = rows_of(done[1] / "corrected-statements.csv")
    assert {"group_aware_consensus", "group_1_votes", "group_aware_low", "geometric_mean", "few_votes"} <= set(full[0])


def test_the_labels_are_the_published_ones_person_by_person(done: tuple[Result, Path], summary: dict[str, Any]) -> None:
    """The published table has them, row by row, in the order of ids that belongs to other rows."""
    groups = [row["group"] for row in rows_of(done[1] / "corrected-groups.csv")]
    assert (groups.count("0"), groups.count("1")) == (619, 383)
    assert hashlib.sha256("".join(groups).encode()).hexdigest() == PUBLISHED_LABELS
    assert summary["grouping"]["explained_variance"] == [0.07294794, 0.0420472]
    assert summary["grouping"]["k_by_silhouette"] == 2


def test_what_the_installed_release_gives_is_stated(summary: dict[str, Any]) -> None:
    import sklearn

    installed = summary["grouping"]["installed_release"]
    assert installed["scikit_learn"] == sklearn.__version__ and sum(installed["group_sizes"]) == 1002
    assert installed["same_group"] > 950


def test_the_papers_figures_come_from_the_misplaced_labels(summary: dict[str, Any]) -> None:
    published, corrected = summary["published"], summary["corrected"]
    names = ("consensus_mean", "consensus_median", "consensus_min", "consensus_max")
    assert [published[name] for name in names] == pytest.approx([0.643, 0.704, 0.042, 0.963], abs=6e-4)
    assert [corrected[name] for name in names] == pytest.approx([0.625, 0.692, 0.029, 0.943], abs=6e-4)


def test_the_published_groups_are_like_lots(summary: dict[str, Any]) -> None:
    published, corrected = summary["published"], summary["corrected"]
    assert published["polis_likeness"] == pytest.approx(-0.005, abs=1e-3) and published["gap_by_lot_share"] > 0.05
    assert corrected["polis_likeness"] == pytest.approx(0.725, abs=1e-3) and corrected["gap_by_lot_share"] == 0.0
    assert published["gap_by_lot_low"] < published["gap_mean"] < published["gap_by_lot_high"] < corrected["gap_mean"]
    assert summary["comparison"]["people_with_same_label"] == pytest.approx(0.51, abs=5e-3)


def test_divisive_statements_come_to_light(done: tuple[Result, Path]) -> None:
    ids = [int(row["comment-id"]) for row in rows_of(done[1] / "corrected.csv")]
    corrected, published = consensus(done[1] / "corrected.csv"), consensus(done[1] / "published.csv")
    for statement, expected in DIVISIVE.items():
        at = ids.index(statement)
        assert [*corrected[at], *published[at]] == pytest.approx(expected, abs=5.1e-3)


def test_who_leaves_and_enters_at_the_papers_cut(done: tuple[Result, Path], summary: dict[str, Any]) -> None:
    found = summary["comparison"]
    assert (summary["published"]["above_cut"], summary["corrected"]["above_cut"]) == (116, 113)
    assert (found["kept"], len(found["leaving"]), len(found["entering"])) == (104, 12, 9)
    assert found["spearman"] == pytest.approx(0.977, abs=5e-4)
    for threshold, expected in ABOVE.items():
        assert (summary["published"]["above"][threshold], summary["corrected"]["above"][threshold]) == expected
    last = rows_of(done[1] / "selection.csv")[-1]
    assert last["leaving"].split() == [str(one) for one in found["leaving"]] and last["measure"] == "product"
    assert "116 statements as published, 113 corrected; 12 leave, 9 enter" in done[0].stdout


def test_stability_is_shipped(summary: dict[str, Any]) -> None:
    report = summary["stability"]
    assert {check["kind"] for check in report["checks"]} == {"seed", "k", "imputation", "bootstrap", "chance"}
    assert report["participants"] == 1002
    # Other starts and other people find nearly the same groups; another value for missing votes does not.
    mean = {
        kind: fmean(check["likeness"] for check in report["checks"] if check["kind"] == kind)
        for kind in ("seed", "bootstrap", "imputation")
    }
    assert mean["seed"] >= 0.8 and mean["bootstrap"] >= 0.8 and 0.5 <= mean["imputation"] < 0.8, mean
    assert report["verdict"] == "fairly firm"


@pytest.mark.parametrize("name", ["figure2", "figure3"])
def test_figures_are_sound_and_have_their_numbers_beside_them(done: tuple[Result, Path], name: str) -> None:
    for variant in ("published", "corrected"):
        root = ET.fromstring((done[1] / f"{variant}-{name}.svg").read_bytes())
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert {"title", "desc", "path", "text"} <= tags and not tags & {"script", "image", "a", "foreignObject"}
        rows = rows_of(done[1] / f"{variant}-{name}.csv")
        assert len(rows) == (1002 if name == "figure2" else 20)
        if name == "figure3":
            assert sum(int(row["statements"]) for row in rows) == 275


def test_another_order_gives_the_same_corrected_bytes_and_no_published_files(
    done: tuple[Result, Path], reference_data: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    source = reference_data / "ccai-2023"
    for name in ("comments.csv", "participants-votes.csv"):
        with open(source / name, newline="", encoding="utf-8") as file:
            header, *body = csv.reader(file)
        rng.shuffle(body)
        columns = rng.permutation(len(header))
        with open(tmp_path / name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([row[at] for at in columns] for row in (header, *body))
    lines = (source / "ids-to-toss.csv").read_text(encoding="utf-8").split()
    (tmp_path / "ids-to-toss.csv").write_text("\n".join(reversed(lines)), encoding="utf-8")
    result = collect(tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "published.csv is not written: the rows are not in the order of the published export" in result.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    corrected = {path.name for path in done[1].glob("corrected*")}
    assert len(corrected) >= 8 and names == corrected | {"summary.json"}
    for name in corrected:
        assert (tmp_path / "out" / name).read_bytes() == (done[1] / name).read_bytes(), name


def test_a_folder_without_the_files(tmp_path: Path) -> None:
    result = collect(tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 2 and "no comments.csv" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1 and not (tmp_path / "out").exists()


def test_what_was_written_is_replaced_by_force_alone(done: tuple[Result, Path], reference_data: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in done[1].iterdir()}
    result = collect(reference_data / "ccai-2023", "-o", done[1])
    assert result.exit_code == 2 and "was written before" in result.stderr and "--force" in result.stderr
    assert {path.name: path.stat().st_mtime_ns for path in done[1].iterdir()} == before
