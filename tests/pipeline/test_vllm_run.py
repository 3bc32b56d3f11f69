"""Runs whose assistant and judge are run by vLLM, or whose policy is sampled by it. `make test-vllm` runs them."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel, PreTrainedModel

from lm.has_vllm import HEADS, needs_vllm
from pipeline.tiny_run import Told, Trained, manifest, rows, run_in, world_config
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.lm.protocols import Completion, SampleRequest
from solon.models.adapters import has_adapters
from solon.models.load import save_model
from solon.pipeline.learner import Learner
from solon.pipeline.policy_sampler import VllmSampler, policy_sampler
from solon.pipeline.run import Pipeline
from solon.pipeline.sources import PromptSets
from solon.pipeline.stages import rl
from solon.train.loop import Trainer
from stages import begun, finished, in_run
from tiny_models import tiny_model_folder, tiny_tokenizer

pytestmark = needs_vllm
BY_VLLM = ("rl.sampler=vllm", "rl.vllm.enforce_eager=true")
MOVES = ("rl.steps=4", "rl.learning_rate=0.01", "rl.warmup_steps=0", "rl.checkpoint_steps=2")
"""So much that what answered with the weights of before would be far from the policy."""


@pytest.fixture(autouse=True)
def _little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model_folder(tmp_path_factory.mktemp("model"), heads=HEADS)


@pytest.fixture(scope="module")
def trained(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run up to its preference model."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    run_in(folder, world_config(llama), until="pm")
    return folder


def test_data_stages_run_on_vllm_and_training_on_the_local_engine(llama: Path, tmp_path: Path) -> None:
    vllm = ("models.assistant.engine=vllm", "models.assistant.vllm.enforce_eager=true")
    run_in(tmp_path / "run", world_config(llama, *vllm), until="comparisons")
    engines = {stage: manifest(tmp_path / "run", stage).facts["engines"] for stage in ("revisions", "pairs")}
    assert engines["revisions"]["assistant"].startswith("vllm:")
    assert engines["pairs"]["sl"].startswith("local:")
    assert manifest(tmp_path / "run", "comparisons").facts["engines"]["judge"].startswith("vllm:")
    for stage in ("revisions", "helpful", "pairs", "comparisons"):
        counts = manifest(tmp_path / "run", stage).counts
        assert counts.rows_in == counts.rows_out + sum(counts.dropped.values()) > 0
    assert all(row["unscored"] is None for row in rows(tmp_path / "run", "comparisons"))


@contextmanager
def learner_of(folder: Path, model: Path, *settings: str) -> Iterator[Learner]:
    """The model in RL, with nothing else there."""
    config = world_config(model, *settings)
    with RunFolder.create(folder / "run", config) as run:
        prompts = begun(run, "prompts")
        for name in PromptSets().files():
            prompts.write_records(Path(name).name, [])
        prompts.finish()
        pipeline = Pipeline(run, Told(), OtherRuns())
        pipeline.done |= {"prompts": finished(run, "prompts"), "sl": Trained.at(model), "pm": Trained.at(model)}
        yield Learner(pipeline.work(in_run(rl, config), begun(run, rl.folder)), model, config.rl)


ASKED = [
    SampleRequest(prompt=text, seed=0, max_new_tokens=16, temperature=0.0)
    for text in ("Human:", "Yes", "How can I give the ladder back?")
]


def same(found: Sequence[Completion], wanted: Sequence[Completion], dtype: torch.dtype) -> None:
    """In bfloat16 two tokens may be as likely as each other, so there it is the first alone."""
    first = slice(1 if dtype == torch.bfloat16 else None)
    for one, other in zip(found, wanted, strict=True):
        assert one.answer_ids[first] == other.answer_ids[first]
        assert one.logprobs[first] == pytest.approx(other.logprobs[first], abs=0.1 if first.stop else 1e-4)


LEARNING: dict[str, tuple[str, ...]] = {
    "all weights": (),
    "adapters": ("rl.lora.rank=4",),
    "bfloat16 with masters": ("rl.weights=bfloat16+masters", "models.dtype=bfloat16"),
}


@pytest.mark.parametrize("settings", LEARNING.values(), ids=LEARNING)
def test_after_an_update_vllm_answers_as_the_local_engine_does_with_the_new_weights(
    settings: tuple[str, ...], llama: Path, tmp_path: Path
) -> None:
    with learner_of(tmp_path, llama, *BY_VLLM, *MOVES, *settings) as learner:
        model = learner.loaded.model
        trainer = Trainer({"policy": model}, learner.section)
        vllm, local = policy_sampler(learner), learner.engine()
        assert isinstance(vllm, VllmSampler) and has_adapters(model) == ("rl.lora.rank=4" in settings)
        before = vllm(ASKED)
        same(before, local.sample(ASKED), model.dtype)
        for _ in range(2):
            trainer.update([[0]], lambda _: (-model(torch.tensor([[5, 9, 7]])).logits[..., 40].sum(), 1.0), **ONE)
            after = vllm(ASKED)
            same(after, local.sample(ASKED), model.dtype)
            assert [one.answer_ids for one in after] != [one.answer_ids for one in before]


SHAPE: dict[str, Any] = {"vocab_size": len(tiny_tokenizer()), "tie_word_embeddings": True}
SMALL = {"max_position_embeddings": 256, "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 2}
TIED: dict[str, Callable[[], PreTrainedModel]] = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(n_positions=256, n_embd=64, n_layer=1, n_head=2, **SHAPE)),
    "gemma2": lambda: Gemma2ForCausalLM(
        Gemma2Config(num_attention_heads=2, num_key_value_heads=2, head_dim=32, **SMALL, **SHAPE)
    ),
}


@pytest.mark.parametrize("family", TIED)
def test_a_head_that_is_the_embeddings_follows_them(family: str, tmp_path: Path) -> None:
    """Of one family vLLM has it as a module of its own, of the other it has none."""
    torch.manual_seed(0)
    folder = save_model(TIED[family]().eval(), tiny_tokenizer(), tmp_path / "model")
    with learner_of(tmp_path, folder, *BY_VLLM) as learner:
        vllm, local = policy_sampler(learner), learner.engine()
        with torch.no_grad():
            for weight in learner.loaded.model.parameters():
                weight.add_(0.2 * torch.randn_like(weight))
        same(vllm(ASKED), local.sample(ASKED), torch.float32)


ONE: dict[str, Any] = {"weight": 1, "tokens": 3, "ids": ["a"]}


def steps(run: Path) -> list[dict[str, Any]]:
    return rows(run, "models/rl", "steps")


@pytest.mark.parametrize("settings", [(), ("rl.lora.rank=4", "rl.learning_rate=0.1")], ids=["all weights", "adapters"])
def test_the_sampler_stays_with_the_policy_that_moves(
    settings: tuple[str, ...], llama: Path, trained: Path, tmp_path: Path
) -> None:
    """Else what it says of tokens would be what the policy said before: the gap would be as large as the step."""
    config = world_config(llama, *BY_VLLM, *MOVES, *settings)
    run_in(tmp_path / "run", config, until="rl", others=OtherRuns.of(tmp_path / "run", [trained]), isolate=False)
    assert manifest(tmp_path / "run", "models/rl").facts["engines"]["rl"].startswith("vllm:")
    said = steps(tmp_path / "run")
    assert len(said) == 4 and said[-1]["kl"] > 0.1
    assert all(0 < one["sampler_gap"] < 1e-3 for one in said)


def test_several_updates_of_one_step_are_on_what_vllm_drew(llama: Path, trained: Path, tmp_path: Path) -> None:
    config = world_config(llama, *BY_VLLM, *MOVES, "rl.batch_size=2", "rl.epochs=2")
    run_in(tmp_path / "run", config, until="rl", others=OtherRuns.of(tmp_path / "run", [trained]), isolate=False)
    assert all(0 < one["sampler_gap"] < 1e-3 for one in steps(tmp_path / "run"))


KILLED = """
import os, signal, sys
from solon.artifacts.stage import StageFolder
from solon.cli.program import run

kept = StageFolder.write_shard

def write_shard(folder, name, number, rows):
    kept(folder, name, number, rows)
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)

StageFolder.write_shard = write_shard
run()
"""
"""`solon`, until it has kept the third step of RL."""


def stage_rl(run: Path, *program: str) -> int:
    """How it ends."""
    return subprocess.run(
        [sys.executable, *program, "stage", "rl", run, "--no-isolate", "--no-reuse", "--quiet"], check=False
    ).returncode


def test_a_killed_run_ends_with_the_same_bytes(llama: Path, trained: Path, tmp_path: Path) -> None:
    """Killed in the step behind a checkpoint, which vLLM samples again."""
    config = world_config(llama, *BY_VLLM, *MOVES)
    for name in ("whole", "killed"):
        run_in(tmp_path / name, config, until="pm", others=OtherRuns.of(tmp_path / name, [trained]))
    assert stage_rl(tmp_path / "whole", "-m", "solon") == 0
    assert stage_rl(tmp_path / "killed", "-c", KILLED) == -signal.SIGKILL
    kept = tmp_path / "killed" / "models" / "rl"
    assert (kept / "rollouts-00003.jsonl").exists() and not (kept / "manifest.json").exists()
    assert stage_rl(tmp_path / "killed", "-m", "solon") == 0
    outputs = [manifest(tmp_path / name, "models/rl").outputs for name in ("whole", "killed")]
    assert outputs[0] == outputs[1] and len(steps(tmp_path / "killed")) == 4
