"""What answers in RL, as far as it is known without vLLM; `test_vllm_run.py` has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import zoo
from pipeline.tiny_run import world_config
from solon.errors import ModelError
from solon.models.load import load_model, save_model
from solon.models.machine import Machine
from solon.pipeline.memory import training_memory
from solon.pipeline.policy_sampler import tied_names
from solon.pipeline.stages import rl
from tiny_models import tiny_tokenizer
from zoo import zoo_model


@pytest.mark.parametrize(("kind", "named"), [("llama", True), ("gpt2", True), ("mixtral", False)])
def test_weights_that_vllm_would_not_know_by_their_names_are_refused(kind: str, named: bool, tmp_path: Path) -> None:
    save_model(zoo_model(zoo.KINDS[kind]), tiny_tokenizer(), tmp_path)
    model = load_model(tmp_path, dtype=torch.float32, device="cpu").model
    if named:
        assert tied_names(model, tmp_path) == ({"lm_head.weight"} if model.config.tie_word_embeddings else set())
        return
    with pytest.raises(ModelError) as raised:
        tied_names(model, tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}: MixtralForCausalLM names weights otherwise in memory than")
    assert str(raised.value).endswith('(set rl.sampler to "local", which reads them where they learn)')


def test_vllms_share_of_the_memory_is_told_and_the_local_engine_has_none(llama: Path) -> None:
    local, vllm, half = (
        training_memory(world_config(llama, *settings))["rl"]
        for settings in ((), ("rl.sampler=vllm",), ("rl.sampler=vllm", "rl.vllm.gpu_memory_utilization=0.5"))
    )
    memory = Machine.here(torch.device("cpu")).device_memory
    assert vllm.held == {**local.held, "vLLM": memory // 4} and half.held["vLLM"] == memory // 2
    assert local.phases.keys() - vllm.phases.keys() == {"writing"}


def test_rl_has_a_process_of_its_own_with_vllm_alone(llama: Path) -> None:
    engines = [rl.driven(world_config(llama, f"rl.sampler={name}")) for name in ("local", "vllm")]
    assert engines == [("local",), ("vllm",)]
