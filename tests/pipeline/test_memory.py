"""Weights lie in memory only while their stage works."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.tiny_run import run_in, world_config
from solon.models import load
from solon.pipeline import learning
from solon.train.loop import Trainer


def test_no_stage_begins_with_a_model_of_another(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """How many models are in memory whenever one is loaded; none waits for the collector of cycles to be released."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    counts: list[int] = []
    real = load._loaded

    def counted(*args: Any, **kwargs: Any) -> Any:
        loaded = real(*args, **kwargs)
        alive.add(loaded.model)
        counts.append(len(alive))
        return loaded

    monkeypatch.setattr(load, "_loaded", counted)
    run_in(tmp_path / "run", world_config(llama))
    generation_and_training = [1] * 7  # revisions, helpful, sl, pairs, comparisons, helpfulness, pm
    policy_reference_reward = [1, 2, 3]
    base_sl_rl_then_preference_model = [1] * 4
    assert counts == generation_and_training + policy_reference_reward + base_sl_rl_then_preference_model
    assert not alive


def storages(tensors: Iterable[torch.Tensor]) -> set[int]:
    """Where they lie in memory: tied weights and views count once."""
    return {tensor.untyped_storage().data_ptr() for tensor in tensors}


def tensors() -> list[torch.Tensor]:
    return [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]


@pytest.mark.parametrize("algorithm", ["grpo", "ppo"])
def test_rl_holds_its_models_the_reward_and_the_optimizer_s_state_and_nothing_else(
    algorithm: str, llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A census of every tensor as large as a weight matrix, after each update."""
    before = {id(one): one for one in tensors()}
    known: list[torch.nn.Module] = []
    censuses: list[int] = []
    real_reinforce, real_update = learning.reinforce, Trainer.update

    def reinforce(algorithm: Any, models: Any, environment: Any, *others: Any) -> Any:
        trained = models.learning.values()
        assert len(trained) == (2 if models.value_model else 1)
        known.extend([*trained, models.reference, environment.reward.terms[0].score.score.model])
        try:
            return real_reinforce(algorithm, models, environment, *others)
        finally:
            known.clear()

    def update(trainer: Trainer, *args: Any, **kwargs: Any) -> Any:
        done = real_update(trainer, *args, **kwargs)
        if known:
            matrix = min(one.numel() for one in known[0].parameters() if one.dim() > 1)
            moments = [one for state in trainer._adamw.state.values() for one in state.values()]
            expected = storages([*(one for module in known for one in module.parameters()), *moments])
            alive = [one for one in tensors() if id(one) not in before and one.numel() >= matrix]
            assert storages(alive) <= expected
            assert all(storages(module.parameters()) & storages(alive) for module in known)
            censuses.append(len(storages(alive)))
        return done

    monkeypatch.setattr(learning, "reinforce", reinforce)
    monkeypatch.setattr(Trainer, "update", update)
    run_in(tmp_path / "run", world_config(llama, f"rl.algorithm={algorithm}"), until="rl")
    assert len(censuses) == 2 and len(set(censuses)) == 1
