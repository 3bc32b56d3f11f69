"""`solon trace`: one object for scripts, a tree for people, and one line for each thing that an id may mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.command import done, solon
from report.lineage_run import FIRST, lineage_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "runs").mkdir()
    monkeypatch.chdir(tmp_path)
    run = lineage_run(tmp_path)
    run.rename(tmp_path / "runs" / "mine")
    return Path("runs/mine")


def test_one_object_for_scripts(run: Path) -> None:
    found = json.loads(done("trace", "theft.pairs-0", "--run", run, "--json"))
    assert list(found) == ["format", "run", "thing", "back", "forward", "notes"]
    assert (found["format"], found["run"]) == ("solon-lineage-1", "runs/mine")
    assert found["thing"]["row"]["p_a_preferred"] == 0.8
    judged = found["back"][2]
    assert (judged["link"], judged["total"], judged["things"][0]["at"]) == ("exact", 1, f"constitution/{FIRST}")
    (statement,) = judged["things"][0]["steps"][0]["things"]
    assert statement["row"]["figures"]["groups"][0]["agrees"] == 6
    assert {step["link"] for step in found["forward"]} == {"exact", "association"}


def test_the_newest_run_is_taken_and_named(run: Path) -> None:
    result = solon("trace", FIRST)
    assert (result.exit_code, result.stderr) == (0, "run folder: runs/mine\n")
    assert "back: where it comes from" in result.stdout and "forward: what came of it" in result.stdout


def test_no_run_no_id(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = solon("trace", "asked.evaluate-0")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "error: 3 things are called `asked.evaluate-0` (give the full name of one of these)" in result.stderr
    assert "error: `answers-rl/asked.evaluate-0`: answer\n" in result.stderr
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = solon("trace", "x")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: there is no run here and none below runs/ (name its folder with --run)\n",
    )
