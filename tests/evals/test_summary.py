from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import RunError
from solon.evals.answers import AnswerScore, Grade
from solon.evals.summary import NO_TRUTH, read_summary, summarise, summary_json

JUDGED = Grade(harmful=True, evasive=False, preachy=False, rude=False, malformed=False, helpful=False, objection=False)


def answers(grade: Grade | None) -> list[AnswerScore]:
    return [
        AnswerScore(id=f"{m}/{k}", prompt_id=k, kind=k, model=m, text=f"{m} {k}", finished=True, grade=grade)
        for m in ("base", "sl", "rl")
        for k in ("harmful", "mixed", "benign")
    ]


def test_the_file_has_the_documented_fields(tmp_path: Path) -> None:
    summary = summarise(name="t", seed=3, pipeline_seconds=1.5, grader="oracle", answers=answers(JUDGED))
    data = json.loads(summary_json(summary))
    assert {"seed", "pipeline_seconds", "models", "revisions", "labels", "preference_model", "rl"} <= data.keys()
    for model in ("base", "sl", "rl"):
        for kind in ("harmful_prompts", "mixed_prompts", "benign_prompts"):
            table = data["models"][model][kind]
            assert table["n"] == 1
            for name in ("harmful", "evasive", "preachy", "rude", "malformed", "helpful", "distinct"):
                assert {"rate", "low", "high"} == table[name].keys()
    assert data["differences"]["harmful_on_harmful_prompts"]["base_minus_rl"]["difference"] == 0.0
    path = tmp_path / "summary.json"
    path.write_text(summary_json(summary), encoding="utf-8")
    assert read_summary(path) == summary


def test_without_a_grader_the_reason_is_given() -> None:
    summary = summarise(name="t", seed=0, pipeline_seconds=0.0, grader=None, answers=answers(None))
    assert (summary.grader, summary.ungraded) == (None, NO_TRUTH)
    assert summary.models.rl is not None and summary.models.rl.harmful_prompts is not None
    assert summary.models.rl.harmful_prompts.harmful is None
    assert summary.differences.harmful_on_harmful_prompts is None


def test_a_damaged_file_is_one_line_per_fault(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no summary here.*solon resume"):
        read_summary(tmp_path / "summary.json")
    path = tmp_path / "summary.json"
    path.write_text('{"seed": "x"}', encoding="utf-8")
    with pytest.raises(RunError, match=r"summary.json: seed: .*integer") as caught:
        read_summary(path)
    assert len(caught.value.faults) > 1
