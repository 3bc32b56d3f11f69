"""Weights lie in memory only while their stage works."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import Any

import pytest

from pipeline.tiny_run import run_in, world_config
from solon.models import load


def test_no_stage_begins_with_a_model_of_another(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many models are in memory whenever one is loaded; none waits for the collector of cycles to be released."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    counts: list[int] = []
    real = load._pretrained

    def counted(*args: Any, **kwargs: Any) -> Any:
        model = real(*args, **kwargs)
        alive.add(model)
        counts.append(len(alive))
        return model

    monkeypatch.setattr(load, "_pretrained", counted)
    run_in(tmp_path / "run", world_config(llama))
    generation_and_training = [1] * 7  # revisions, helpful, sl, pairs, comparisons, helpfulness, pm
    policy_reference_reward = [1, 2, 3]
    base_sl_rl_then_preference_model = [1] * 4
    assert counts == generation_and_training + policy_reference_reward + base_sl_rl_then_preference_model
    assert not alive
