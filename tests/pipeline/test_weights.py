"""Runs whose models learn in bfloat16: killed in each training and resumed, they end with the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipeline.tiny_run import Told, manifest, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.pipeline.run import run_pipeline

TRAININGS = {"models/sl": "sft", "models/pm": "preference", "models/rl": "rl"}


class _Kills(Told):
    """Kills a run when so many rows of a training are done."""

    def __init__(self, stage: str, at: int) -> None:
        super().__init__()
        self._stage, self._at = stage, at

    def advance(self, rows: int, tokens: int) -> None:
        super().advance(rows, tokens)
        if self.rows.get(self._stage, 0) >= self._at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("weights", ["bfloat16+masters", "bfloat16+stochastic"])
def test_a_run_killed_in_each_training_ends_with_the_same_bytes(
    weights: str, llama: Path, finished: Path, tmp_path: Path
) -> None:
    own = [f"{section}.weights={weights}" for section in TRAININGS.values()]
    config = world_config(llama, *own, "rl.steps=4", "rl.checkpoint_steps=1", "rl.learning_rate=1e-3")
    whole, killed = tmp_path / "whole/run", tmp_path / "killed/run"  # neighbors would be reused
    total = run_in(whole, config, until="rl", others=OtherRuns.of(whole, [finished])).rows
    told = []
    for stage in TRAININGS:
        told.append(_Kills(stage, total[stage] // 2))
        with RunFolder.create(killed, config) as run, pytest.raises(KeyboardInterrupt):
            run_pipeline(run, told[-1], until="rl", others=OtherRuns.of(killed, [finished]))
    told.append(run_in(killed, config, until="rl", others=OtherRuns.of(killed, [finished])))
    for stage, again in zip(TRAININGS, told[1:], strict=True):
        assert 0 < again.rows[stage] < total[stage], "it went on from a checkpoint"
        assert manifest(killed, stage).outputs == manifest(whole, stage).outputs
        saved = load_file(whole / stage / "model/model.safetensors")
        assert {one.dtype for one in saved.values()} == {torch.bfloat16}
