"""`solon labels`: the judge of a finished run, asked again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.command import done, solon
from pipeline.tiny_run import rows
from solon.evals.sensitivity import Sensitivity
from solon.pipeline.asking_again import sample_of
from solon.progress import QuietReporter
from solon.report.data import load_report_data
from solon.report.html import render_report


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run", symlinks=True)


def test_under_its_own_settings_the_judge_says_the_same_again(run: Path) -> None:
    sample = sample_of(run, (), 0, QuietReporter(None))  # type: ignore[arg-type]
    before = {row["id"]: row["p_a_preferred"] for row in rows(run, "comparisons")}
    again = sample.ask("labels", sample.judge)
    assert {row.id: row.p_a_preferred for row in again} == pytest.approx(before, abs=1e-5)


def test_quality_with_and_without_asking_and_against_people(run: Path, tmp_path: Path) -> None:
    of_run = json.loads(done("labels", "quality", run, "--json"))
    count = len(rows(run, "comparisons"))
    assert (of_run["event"], of_run["n"], of_run["position"]["n"]) == ("labels", count, count)
    people = tmp_path / "people.jsonl"
    people.write_text(json.dumps({"id": rows(run, "comparisons")[0]["id"], "better": "b"}) + "\n")
    settings = ("--again", "0", "--set", "judge.orders=both", "--human", people, "--json")
    *_, again = map(json.loads, done("labels", "quality", run, *settings).splitlines())
    assert (again["n"], again["position"]["n"], again["people"]["n"]) == (count, 2 * count, 1)
    assert not {"sensitivity.json", "principles.json"} & {path.name for path in run.iterdir()}
    assert "favor for the answer shown first" in done("labels", "quality", run)
    refused = solon("labels", "quality", run, "--set", "judge.orders=both")
    assert (refused.exit_code, refused.stderr) == (
        2,
        "error: --set changes how the judge is asked, but it is not asked (give --again N too)\n",
    )


def test_other_constitutions_and_conflicts_are_kept_and_shown_in_the_report(run: Path) -> None:
    *_, found = map(json.loads, done("labels", "sensitivity", run, "-n", "4", "--json").splitlines())
    assert found.pop("event") == "sensitivity"
    kept = Sensitivity.model_validate_json((run / "sensitivity.json").read_bytes())
    assert kept.model_dump(mode="json") == found and kept.pairs == 4
    assert [one.name for one in kept.constitutions] == ["given", "blank", "shuffled", "elsewhere", "inverted"]
    assert "constitution" in done("labels", "sensitivity", run, "-n", "2", "-q")
    done("labels", "principles", run, "-n", "3", "-q")
    data = load_report_data(run)
    assert data.principles is not None and data.principles.pairs == 3 and len(data.principles.agreement) == 6
    page = render_report(data)
    assert "Does the judge read its constitution?" in page and "Which principles conflict?" in page


def test_a_run_that_has_no_comparisons_yet_is_refused(tmp_path: Path) -> None:
    refused = solon("labels", "sensitivity", tmp_path)
    assert (refused.exit_code, refused.stderr.startswith(f"error: {tmp_path} holds no run")) == (2, True)
