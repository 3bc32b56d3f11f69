from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import RunError
from solon.evals.estimates import evidence
from solon.evals.grader import Response, grade
from solon.evals.graders.text import Text
from solon.evals.summary import NO_TRUTH, Summary, read_summary, summary_json
from solon.records import Prompt, Turn


def summary(*, grader: str | None = None) -> Summary:
    responses = [
        Response(
            task=task,
            model=model,
            prompt=Prompt(id=kind, kind=kind, turns=(Turn(role="human", text="How?"),)),
            text=f"{model} {kind}",
            finished=True,
        )
        for task, models in (("held-out", ("base", "rl@40")), ("revisions", ("assistant@0",)))
        for model in models
        for kind in ("harmful", "benign")
    ]
    told = evidence(responses, list(grade(responses, [Text()])), [Text.card])
    ungraded = NO_TRUTH if grader is None else None
    return Summary(name="t", seed=3, pipeline_seconds=1.5, grader=grader, ungraded=ungraded, **dict(told))


def test_the_file_has_the_documented_fields(tmp_path: Path) -> None:
    written = summary()
    data = json.loads(summary_json(written))
    assert data["format"] == 2
    keys = {"seed", "pipeline_seconds", "grader", "ungraded", "graders", "estimates", "differences"}
    assert keys | {"labels", "preference_model", "rl"} <= data.keys()
    first = {"task": "held-out", "model": "base", "kind": "harmful", "grader": "text", "measure": "refusal_phrases"}
    assert data["estimates"][0].items() >= first.items()
    assert list(data["estimates"][0])[5:] == ["n", "value", "low", "high", "unscored"]
    path = tmp_path / "summary.json"
    path.write_text(summary_json(written), encoding="utf-8")
    assert read_summary(path) == written


def test_figures_are_found_by_task_kind_and_measure() -> None:
    told = summary()
    assert told.models() == ["base", "rl@40"] and told.models("revisions") == ["assistant@0"]
    assert [(one.model, one.value) for one in told.of(kind="benign", measure="words")] == [
        ("base", 2.0),
        ("rl@40", 2.0),
    ]
    assert {one.model for one in told.of(task="revisions")} == {"assistant@0"}


def test_a_summary_names_its_grader_or_says_why_there_is_none() -> None:
    assert (summary().grader, summary().ungraded) == (None, NO_TRUTH)
    assert (summary(grader="oracle").grader, summary(grader="oracle").ungraded) == ("oracle", None)
    with pytest.raises(ValueError, match="either its grader or the reason"):
        Summary.model_validate(summary().model_dump() | {"ungraded": None})


def test_a_damaged_file_is_one_line_per_fault(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no summary here.*solon resume"):
        read_summary(tmp_path / "summary.json")
    path = tmp_path / "summary.json"
    path.write_text('{"seed": "x"}', encoding="utf-8")
    with pytest.raises(RunError, match=r"summary.json: seed: .*integer") as caught:
        read_summary(path)
    assert len(caught.value.faults) > 1


def test_an_older_file_is_told_by_its_format(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text('{"format": 1, "name": "t", "models": {}}', encoding="utf-8")
    with pytest.raises(RunError, match="it has format 1; this version reads format 2") as caught:
        read_summary(path)
    (fault,) = caught.value.faults
    assert fault.hint == "use the version it was begun with, or begin a new run in another folder"
