from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from report.sample import sample_data
from solon.artifacts.run_folder import RunFolder
from solon.errors import RunError
from solon.evals.grader import Score
from solon.evals.summary import summary_json
from solon.records import Record
from solon.report.data import CONSTITUTION, ReportData, load_report_data
from solon.report.html import write_report
from stages import begun


def write_run(path: Path, data: ReportData) -> None:
    """The folder as the pipeline leaves it."""
    assert data.config is not None and data.constitution is not None
    stages: dict[str, dict[str, Sequence[Record]]] = {
        **{f"answers-{model}": {"rows": rows} for model, rows in data.answers.items()},
        "scores": {"rows": data.scores},
        "prompts": {"prompts-red-team": [*data.prompts.values()]},
        "revisions": {"rows": [*data.revisions]},
        "comparisons": {"rows": [*data.comparisons]},
        "models/rl": {"rollouts": [*data.rollouts]},
    }
    with RunFolder.create(path, data.config) as run:
        for name, files in stages.items():
            stage = begun(run, name)
            for file, rows in files.items():
                for start in range(0, len(rows), 7):
                    stage.write_shard(file, start // 7, rows[start : start + 7])
            stage.finish()
    (path / CONSTITUTION).write_text(data.constitution.model_dump_json(), encoding="utf-8")
    (path / "summary.json").write_text(summary_json(data.summary), encoding="utf-8")


def test_a_run_folder_is_read_back(tmp_path: Path) -> None:
    data = sample_data(3)
    write_run(tmp_path, data)
    found = load_report_data(tmp_path)
    assert (found.summary, found.config, found.constitution) == (data.summary, data.config, data.constitution)
    assert found.prompts == data.prompts
    assert list(found.revisions) == list(data.revisions)
    assert found.answers == data.answers
    assert list(found.scores) == list(data.scores)
    assert list(found.comparisons) == list(data.comparisons)
    assert list(found.rollouts) == list(data.rollouts)
    names = [manifest.stage for manifest in found.manifests]
    assert names == [
        "prompts",
        "revisions",
        "comparisons",
        "models/rl",
        *(f"answers-{model}" for model in data.answers),
        "scores",
    ]


def test_the_report_is_written_beside_the_summary(tmp_path: Path) -> None:
    write_run(tmp_path, sample_data(2))
    assert write_report(tmp_path) == tmp_path / "report.html"
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_missing_stages_are_empty_and_a_missing_summary_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no summary here"):
        load_report_data(tmp_path)
    (tmp_path / "summary.json").write_text(summary_json(sample_data(2).summary), encoding="utf-8")
    found = load_report_data(tmp_path)
    assert (found.config, list(found.revisions), found.prompts) == (None, [], {})
    assert write_report(tmp_path).exists()


def test_a_manifest_of_the_users_own_is_none_of_a_stage(tmp_path: Path) -> None:
    write_run(tmp_path, sample_data(2))
    before = load_report_data(tmp_path).manifests
    (tmp_path / "webapp").mkdir()
    (tmp_path / "webapp" / "manifest.json").write_text('{"name": "My page"}')
    assert load_report_data(tmp_path).manifests == before


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_run(tmp_path, sample_data(2))
    shard = tmp_path / "scores" / "rows-00000.jsonl"
    shard.write_text(shard.read_text(encoding="utf-8").replace("oracle", "Oracle", 1), encoding="utf-8")
    with pytest.raises(RunError, match=r"rows-00000.jsonl: changed: not what stage scores made"):
        load_report_data(tmp_path)


def test_a_row_of_another_form_is_named_with_its_line(tmp_path: Path) -> None:
    """E.g. of another version of Solon."""
    data = sample_data(2)
    (good, *_), other = data.scores, data.revisions[0]
    write_run(tmp_path, data)
    with RunFolder.resume(tmp_path) as run:
        shutil.rmtree(tmp_path / "scores")
        stage = begun(run, "scores")
        stage.write_records("rows", [good, good, other])
        stage.finish()
    with pytest.raises(RunError, match=rf"rows.jsonl:3: not a {Score.__name__}"):
        load_report_data(tmp_path)
