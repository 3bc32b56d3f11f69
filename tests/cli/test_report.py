"""`solon report` on folders that are not what it hopes for."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from cli.command import done, solon
from report.sample import sample_data
from report.test_data import write_run
from solon.report import html


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write_run(tmp_path / "run", sample_data(2))
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("number", "remedy"), [(errno.EACCES, "make it writable"), (errno.EROFS, "make it writable"), (errno.EFBIG, "free")]
)
def test_the_result_is_printed_where_the_page_cannot_be_written(
    run: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    usual = done("report", run)

    def closed(path: Path, data: bytes) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(html, "write_atomic", closed)
    result = solon("report", run)
    assert (result.exit_code, result.stdout) == (2, usual)
    assert result.stderr.startswith(f"error: cannot write {run}/report.html: {os.strerror(number)}; ")
    assert remedy in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_summary_whose_scores_are_gone_is_not_shown(run: Path) -> None:
    page = Path(run, "report.html")
    shutil.rmtree(run / "scores")
    result = solon("report", run)
    assert (result.exit_code, result.stdout, page.exists()) == (2, "", False)
    assert result.stderr == (
        f"error: {run}: the run has not finished stage scores (go on with `solon resume {run}`, or only so far with "
        f"`solon stage scores {run}`)\n"
    )


def test_a_run_of_another_version_is_told_by_report_and_export(run: Path) -> None:
    record = run / "run.json"
    record.write_text(record.read_text().replace('"format": 4', '"format": 2'))
    (run / "summary.json").write_text('{"format": 1}')
    for command in (("report", run), ("export", "trl", run, "-o", run.with_name("sets"))):
        result = solon(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            f"error: {record}: not a run that this version of Solon can read: format: Input should be 4 (use the "
            "version it was begun with, or begin a new run in another folder)\n"
        )
