"""A run without preference model and RL: what it leaves behind, and that what it says is of DPO."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.tiny_run import FOLDERS, data, differing, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.evals.summary import read_summary

DPO = ("alignment=dpo", "dpo.batch_size=4", "dpo.epochs=2", "dpo.holdout=0.3", "dpo.learning_rate=1e-3")
OWN = ("models/dpo", "answers-dpo", "scores")


@pytest.fixture(scope="module")
def aligned(llama: Path, finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It takes over from the run with RL all that they share."""
    folder = tmp_path_factory.mktemp("runs") / "dpo"
    told = run_in(folder, world_config(llama, *DPO), others=OtherRuns.of(folder, [finished]))
    assert told.stages == list(OWN)
    return folder


def test_it_shares_all_stages_up_to_the_comparisons_with_a_run_of_rl(aligned: Path, finished: Path) -> None:
    made = {path.parent.relative_to(aligned).as_posix() for path in aligned.rglob("manifest.json")}
    assert made == {*FOLDERS, *OWN} - {"models/pm", "models/rl", "answers-rl"}
    assert (aligned / "models/dpo/model/model.safetensors").exists()
    assert rows(aligned, "answers-dpo") != rows(aligned, "answers-sl")
    assert rows(aligned, "answers-sl") == rows(finished, "answers-sl")


def test_training_accounts_for_every_comparison(aligned: Path) -> None:
    made = manifest(aligned, "models/dpo")
    counts, held_out = made.counts, rows(aligned, "models/dpo", "held-out")
    assert counts.rows_in == len(rows(aligned, "comparisons")) + len(rows(aligned, "helpfulness"))
    assert counts.rows_in == counts.rows_out + counts.other["held out"] + sum(counts.dropped.values())
    assert counts.other["held out"] == len(held_out) > 0 and any(row["margin"] for row in held_out)
    assert len(rows(aligned, "models/dpo", "steps")) == 2 * -(-counts.rows_out // 4)
    assert made.facts["loss"] == "sigmoid"
    assert {"sl", "comparisons", "helpfulness"} < made.inputs.keys() and "pm" not in made.inputs


def test_what_is_said_of_it_is_of_dpo(aligned: Path) -> None:
    summary = read_summary(aligned / "summary.json")
    assert summary.models() == ["base", "sl", "dpo"]
    assert (summary.rl, summary.preference_model) == (None, None)
    page = (aligned / "report.html").read_text(encoding="utf-8")
    assert "DPO-CAI" in page and "the final model learnt from those labels itself" in page
    assert not any(text in page for text in ("RL-CAI", "After reinforcement", "rewarded the policy"))


def test_its_stages_begin_anew_to_the_same_bytes(aligned: Path, llama: Path, tmp_path: Path) -> None:
    run_in(tmp_path, world_config(llama, *DPO))
    assert differing(data(aligned), data(tmp_path)) == []
    assert json.loads((tmp_path / "run.json").read_bytes())["config"]["alignment"] == "dpo"
