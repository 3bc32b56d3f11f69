"""`solon compare`: a table for people, one object for scripts, a page, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import done, solon
from report.sample import sample_data
from report.test_data import write_run


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        write_run(folder, sample_data(2))
    return folders


def test_a_table_a_page_and_one_object(runs: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    shown = done("compare", *runs, "-o", page)
    assert "figures differs by more than noise" in shown or "no figure in common" in shown
    assert "run file: no difference" in shown and str(page) in shown.replace("\n", "")
    assert page.read_text().startswith("<!doctype html>")
    found = json.loads(done("compare", *runs, "--json"))
    assert (found["format"], found["config"]) == ("solon-compare-1", [])
    assert {"part", "first", "second", "difference", "low", "high", "paired", "outside"} <= found["figures"][0].keys()


def test_a_page_that_is_there_and_a_run_that_is_not_finished_are_refused(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    result = solon("compare", *runs, "-o", page)
    assert (result.exit_code, page.read_text()) == (2, "mine")
    assert "exists already (choose another name with -o, or add --force" in result.stderr
    (runs[1] / "summary.json").unlink()
    result = solon("compare", *runs)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"error: {runs[1]}/summary.json: there is no summary here (the run has not finished: continue it with "
        "`solon resume`)\n"
    )


def test_a_place_that_cannot_be_written_is_told_and_a_missing_folder_is_made(
    runs: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    page = tmp_path / "file" / "folder" / "page.html"
    result = solon("compare", *runs, "-o", page)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"error: {page}: cannot be written: Not a directory (name another place with -o)\n"
    done("compare", *runs, "-o", tmp_path / "new" / "page.html")
    assert (tmp_path / "new" / "page.html").is_file()
