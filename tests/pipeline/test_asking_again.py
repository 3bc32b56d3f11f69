"""`solon labels`: the judge of a finished run, asked again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.command import done, solon
from evals.test_bias import label
from pipeline.test_contest import counted
from pipeline.tiny_run import manifest, rows
from solon.cli.labels_report import print_labels
from solon.constitution.controls import inverted
from solon.evals.labels import Scaling, label_quality
from solon.evals.sensitivity import Sensitivity
from solon.feedback.judge import Judge, question_of
from solon.feedback.rows import Rows
from solon.pipeline.asking_again import sample_of, under_other_constitutions
from solon.pipeline.judging import scaling_of
from solon.progress import QuietReporter
from solon.records import Comparison
from solon.report.data import load_report_data
from solon.report.html import render_report
from solon.report.run.principles import conflicts


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "run", symlinks=True)


def test_under_its_own_settings_the_judge_says_the_same_again(run: Path) -> None:
    sample = sample_of(run, (), 0, QuietReporter(None))  # type: ignore[arg-type]
    before = {row["id"]: row["p_a_preferred"] for row in rows(run, "comparisons")}
    again = sample.ask("labels").records
    assert {row.id: row.p_a_preferred for row in again} == pytest.approx(before, abs=1e-5)


def faulty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that has no room for one pair in four under its own constitution, and declines the opposite of it."""
    compare = Judge.compare

    def declining(judge: Judge, pairs: Any, prompts: Any) -> Rows[Comparison]:
        made = compare(judge, pairs, prompts)
        if judge.asks is question_of:
            made.records, made.dropped["too long"], made.noted["unread"] = made.records[1:], 1, 2
        if judge.asks is inverted:
            no = {"p_a_preferred": None, "unscored": "refused by the judge"}
            made.records = tuple(row.model_copy(update=no) for row in made.records)
        return made

    monkeypatch.setattr(Judge, "compare", declining)


def test_a_judge_may_decline_the_opposite_and_what_was_left_out_is_told(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty(monkeypatch)
    sample = sample_of(run, (), 4, QuietReporter(None))  # type: ignore[arg-type]
    found = under_other_constitutions(sample, "unrelated")
    assert (found.pairs, found.left_out, found.constitutions[-1].unscored) == (3, 1, 3)
    assert found.origin is not None and found.origin.dropped == {"given: too long": 1}
    told = done("labels", "quality", run, "--again", "4", "-q")
    assert "left out: 1 too long" in told and "counted: 2 unread" in told
    *_, again = map(json.loads, done("labels", "quality", run, "--again", "4", "--json").splitlines())
    assert (again["n"], again["dropped"], again["noted"]["unread"]) == (3, {"too long": 1}, 2)
    assert "given: too long" in done("labels", "sensitivity", run, "-n", "4", "-q")


def test_settings_that_no_run_may_have_are_refused(run: Path) -> None:
    refused = solon("labels", "quality", run, "--again", "2", "--set", "constitution.whole=true")
    assert refused.exit_code == 2
    assert "is a list, and constitution.whole is for documents (leave constitution.whole out" in refused.stderr


def test_what_was_measured_of_other_comparisons_is_not_shown(run: Path) -> None:
    done("labels", "sensitivity", run, "-n", "2", "-q", "--set", "judge.orders=random")
    done("labels", "principles", run, "-n", "2", "-q")
    data = load_report_data(run)
    assert data.sensitivity is not None and data.sensitivity.origin is not None and data.stale == ()
    assert data.sensitivity.origin.settings == ("judge.orders=random",)
    assert "judge.orders=random" in render_report(data)
    for name in ("sensitivity.json", "principles.json"):
        kept = json.loads((run / name).read_text())
        kept["origin"]["comparisons"] = "0" * 64
        (run / name).write_text(json.dumps(kept))
    data = load_report_data(run)
    assert (data.sensitivity, data.principles) == (None, None)
    assert data.stale == ("sensitivity.json", "principles.json") and "of other labels" in render_report(data)


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
    assert data.summary.labels is not None
    of_run = data.summary.labels.model_copy(update={"conflicts": data.principles.model_copy(update={"pairs": 1})})
    both = replace(data, summary=data.summary.model_copy(update={"labels": of_run}))
    assert conflicts(both) is data.principles, "all principles say more than those that were drawn"
    page = render_report(data)
    assert "Does the judge read its constitution?" in page and "Which principles conflict?" in page


@pytest.mark.parametrize(
    ("command", "result"), [("principles", "principles.json"), ("sensitivity", "sensitivity.json")]
)
def test_a_command_that_was_killed_goes_on_to_the_same_bytes(
    run: Path, monkeypatch: pytest.MonkeyPatch, command: str, result: str
) -> None:
    whole = shutil.copytree(run, run.with_name("whole"), symlinks=True)
    given = ("-n", "4", "-q", "--set", "sampling.shard_rows=2")
    with counted(monkeypatch) as every:
        done("labels", command, whole, *given)
    with counted(monkeypatch, most=len(every) - 1), pytest.raises(RuntimeError, match="killed"):
        solon("labels", command, run, *given)
    assert not (run / result).exists() and list(run.glob("evaluations/labels-*/rows-00000.jsonl"))
    with counted(monkeypatch) as again:
        done("labels", command, run, *given)
    assert 0 < len(again) < len(every) and again == every[-len(again) :], "what was judged is not judged again"
    assert (run / result).read_bytes() == (whole / result).read_bytes()


def test_how_labels_were_clamped_stands_in_the_manifest(run: Path) -> None:
    found = manifest(run, "comparisons")
    assert scaling_of(found) == Scaling()
    clamped = {"judge": {"method": "cot", "orders": "both", "clamp": [0.4, 0.6], "temperature": 2.0}}
    assert scaling_of(found.model_copy(update={"config": clamped})) == Scaling(temperature=2.0, clamp=(0.4, 0.6))
    assert scaling_of(found.model_copy(update={"config": None})) == Scaling()


def test_clamped_labels_and_pairs_without_truth_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [label(str(number), 0.6) for number in range(4)]
    print_labels(label_quality(rows, lambda row: "a" if row.id == "0" else None, Scaling(clamp=(0.4, 0.6))))
    told = capsys.readouterr().out
    assert "labels are clamped (judge.clamp), so that no temperature can be told" in told
    assert "of the 1 in which one answer is better" in told


def test_a_run_that_has_no_comparisons_yet_is_refused(tmp_path: Path) -> None:
    refused = solon("labels", "sensitivity", tmp_path)
    assert (refused.exit_code, refused.stderr.startswith(f"error: {tmp_path} holds no run")) == (2, True)
