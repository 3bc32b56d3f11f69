"""One step of each of TRL's trainers that the data card names, on an exported folder and a tiny random model."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    RewardConfig,
    RewardTrainer,
    RLOOConfig,
    RLOOTrainer,
    SFTConfig,
    SFTTrainer,
)

from export.small_run import DEMONSTRATIONS, THEFT
from solon.export.sets import Form
from solon.prompting.chat_template import dialogue_format
from solon.train.batches import answer_example
from tiny_models import tiny_model_folder, tiny_tokenizer

Load = Callable[[Path], Dataset]
pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")  # TRL's own use of transformers


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Form, str]:
    """For each form a random Llama: with a chat template, and without."""
    return {
        form: str(tiny_model_folder(tmp_path_factory.mktemp(form), chat_template=form == "conversational"))
        for form in ("conversational", "standard")
    }


@pytest.fixture
def model(folders: dict[Form, str], form: Form) -> str:
    return folders[form]


@pytest.fixture
def options(tmp_path: Path) -> dict[str, Any]:
    """Of every trainer: one step on the processor."""
    return {
        "output_dir": str(tmp_path / "trained"),
        "max_steps": 1,
        "per_device_train_batch_size": 2,
        "learning_rate": 0.1,
        "logging_steps": 1,
        "use_cpu": True,
        "bf16": False,
        "report_to": "none",
        "save_strategy": "no",
    }


def step(trainer: Any) -> dict[str, Any]:
    """One step, which must change the model; what the trainer logs of it."""
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    assert trainer.state.global_step == 1
    assert any(not torch.equal(before[name], value) for name, value in trainer.model.named_parameters())
    logged: dict[str, Any] = trainer.state.log_history[0]
    assert math.isfinite(float(logged["loss"]))
    return logged


def test_sft(exported: Path, load: Load, model: str, options: dict[str, Any], form: Form) -> None:
    """TRL reads the same tokens, and counts the same in its loss, as Solon's own finetuning."""
    trainer = SFTTrainer(model=model, args=SFTConfig(**options), train_dataset=load(exported / "sft.jsonl"))
    read = trainer.train_dataset.to_list()
    step(trainer)
    tokenizer: PreTrainedTokenizerBase = tiny_tokenizer(chat_template=form == "conversational")
    format = dialogue_format(tokenizer)
    own = answer_example(tokenizer, "d1", format.prompt(THEFT.turns), format.answer(DEMONSTRATIONS[0].answer))
    assert tuple(read[0]["input_ids"]) == own.input_ids
    assert tuple(label != -100 for label in read[0]["labels"]) == own.loss_mask


def test_dpo(exported: Path, load: Load, model: str, options: dict[str, Any]) -> None:
    """Before its first step the policy is the reference, so the loss is that of not knowing: log 2."""
    rows = load(exported / "preference.jsonl")
    logged = step(DPOTrainer(model=model, args=DPOConfig(**options), train_dataset=rows))
    assert float(logged["loss"]) == pytest.approx(math.log(2), abs=1e-4)


def test_reward(exported: Path, load: Load, model: str, options: dict[str, Any]) -> None:
    rows = load(exported / "preference.jsonl")
    step(RewardTrainer(model=model, args=RewardConfig(**options), train_dataset=rows))


@pytest.mark.parametrize(("trainer", "config"), [(GRPOTrainer, GRPOConfig), (RLOOTrainer, RLOOConfig)])
def test_online(exported: Path, load: Load, model: str, options: dict[str, Any], trainer: Any, config: Any) -> None:
    """The columns beside the prompt reach the reward function."""
    rows = load(exported / "prompts.jsonl")
    kinds = {row["id"]: row["kind"] for row in rows.to_list()}
    seen: list[tuple[str, str]] = []

    def reward(completions: list[Any], id: list[str], kind: list[str], **_: Any) -> list[float]:
        seen.extend(zip(id, kind, strict=True))
        return [float(number) for number in range(len(completions))]

    args = config(**options, num_generations=2, max_completion_length=4)
    step(trainer(model=model, reward_funcs=reward, args=args, train_dataset=rows))
    assert seen and all(kinds[name] == kind for name, kind in seen)
