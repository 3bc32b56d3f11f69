"""TRL reads its run files with its own parser, and each trains a step in the exported folder with its own script."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, Trainer

from export.small_run import small_run
from solon.config.run import RunConfig
from solon.export.folder import export
from solon.export.trl import SEVERAL, TRL

pytestmark = pytest.mark.filterwarnings("ignore:.*will be removed in v6:FutureWarning")  # TRL's own use of transformers
ONE_STEP = (
    *("--use_cpu", "true", "--bf16", "false", "--save_strategy", "no"),
    *("--max_steps", "1", "--logging_steps", "1", "--warmup_steps", "0"),
)
SMALL = {
    "sampling": {"max_new_tokens": 4},
    "sft": {"batch_size": 2},
    "preference": {"batch_size": 4, "final_share": 0.5},
    "dpo": {"batch_size": 2, "loss": "ipo"},
    "rl": {"prompts_per_step": 2, "samples_per_prompt": 2, "batch_size": 4, "learning_rate": 1e-2},
}


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Trainers that have trained, each with the weights that it began with."""
    seen: list[Any] = []
    real = Trainer.train

    def watched(self: Any, *arguments: Any, **options: Any) -> Any:
        self.began = {name: value.detach().clone() for name, value in self.model.named_parameters()}
        seen.append(self)
        return real(self, *arguments, **options)

    monkeypatch.setattr(Trainer, "train", watched)
    return seen


def a_step(script: str, file: str, trained: list[Any]) -> Any:
    """`trl SCRIPT --config FILE` for one step, in this process; every key must be known."""
    module: Any = import_module(f"trl.scripts.{script}")
    told = module.make_parser().parse_args_and_config(["--config", file, *ONE_STEP], fail_with_unknown_args=True)
    module.main(*told)
    (trainer,) = trained
    assert trainer.state.global_step == 1
    assert math.isfinite(trainer.state.log_history[0]["loss"])
    assert any(not torch.equal(trainer.began[name], value) for name, value in trainer.model.named_parameters())
    return trainer


Chosen = Callable[..., None]


@pytest.fixture
def folder(whole_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chosen:
    """Exports a run with these settings and goes into the folder."""

    def made(**rl: Any) -> None:
        base = whole_run.parent / "llama"
        settings = {**SMALL, "rl": {**SMALL["rl"], **rl}, "models": {"assistant": {"path": str(base)}}, "seed": 3}
        models = {f"models/{name}": whole_run / f"models/{name}/model" for name in ("sl", "pm")}
        run = small_run(tmp_path / "run", models=models, config=RunConfig.model_validate(settings))
        export(TRL, run, tmp_path / "out")
        monkeypatch.chdir(tmp_path / "out")

    return made


def test_sft(folder: Chosen, trained: list[Any]) -> None:
    folder()
    args = a_step("sft", "sft.yaml", trained).args
    assert (args.learning_rate, args.num_train_epochs, args.seed) == (1e-5, 1, 3)
    assert (args.per_device_train_batch_size, args.gradient_accumulation_steps) == (2, 1)
    assert (args.lr_scheduler_type, args.lr_scheduler_kwargs) == ("cosine_with_min_lr", {"min_lr_rate": 0.1})


def test_reward(folder: Chosen, trained: list[Any]) -> None:
    folder()
    trainer = a_step("reward", "reward.yaml", trained)
    assert trainer.args.lr_scheduler_kwargs == {"min_lr_rate": 0.5}
    assert trainer.model.config.num_labels == 1


def test_dpo(folder: Chosen, trained: list[Any]) -> None:
    folder()
    trainer = a_step("dpo", "dpo.yaml", trained)
    assert (trainer.args.loss_type, trainer.args.beta) == (["ipo"], 0.1)


@pytest.mark.parametrize(("algorithm", "script"), [("grpo", "grpo"), ("rloo", "rloo")])
def test_rl(folder: Chosen, trained: list[Any], algorithm: str, script: str) -> None:
    """The rewards are the exported preference model's scores of what the policy said."""
    folder(algorithm=algorithm)
    text = Path("rl.yaml").read_text()
    assert f"# trl {script} --config rl.yaml" in text
    trainer = a_step(script, "rl.yaml", trained)
    args = trainer.args
    assert (args.num_generations, args.generation_batch_size, args.max_completion_length) == (2, 4, 4)
    assert (args.beta, args.epsilon, args.learning_rate) == (0.1, 0.2, 1e-2)
    (reward,) = trainer.reward_funcs
    own = AutoModelForSequenceClassification.from_pretrained("reward-model")
    assert torch.equal(reward.score.weight.float(), own.score.weight.float())


TERMS = {"length": 0.5, "repetition": 1.0, "openings": 2.0, "preaching": 3.0, "evasiveness": 4.0}


def test_rl_by_several_terms(folder: Chosen, trained: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Solon's own functions score texts, lengths and kinds of prompt; what TRL cannot do is told."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "rewards", raising=False)
    others = {"judge": 1.0, "models": {"kind": {"path": "runs/b/models/pm/model"}}}
    folder(rewards={"preference": 1.5, **TERMS, "length_between": (0, 2), **others})
    trainer = a_step("grpo", "rl.yaml", trained)
    assert trainer.reward_weights.tolist() == [1.5, *TERMS.values()]
    functions = dict(zip(TERMS, trainer.reward_funcs[1:], strict=True))
    said = [[{"role": "assistant", "content": text}] for text in ("a b c d a b c d", "I can't help with that.")]
    asked = {"completions": said, "completion_ids": [[1, 2, 3, 4], [5]], "id": ["x", "y"], "kind": ["harmful"] * 2}
    scored = {name: function(**asked) for name, function in functions.items()}
    assert scored.pop("repetition") == pytest.approx([-0.2, 0.0])
    assert scored == {
        "length": [-2.0, 0.0],
        "openings": [0.0, 0.0],
        "preaching": [0.0, 0.0],
        "evasiveness": [0.0, -1.0],
    }
    told = Path("README.md").read_text()
    assert "| `preference` | counts, with the weight 1.5 |" in told
    assert f"| `models.kind` | left out: {SEVERAL.replace('_', chr(92) + '_').replace('`', chr(92) + '`')} |" in told
    assert "| `judge` | left out: it asks no judge |" in told and "| `scale` | otherwise: " in told


def test_rl_without_a_preference_model(folder: Chosen) -> None:
    folder(rewards={"preference": 0.0, "preaching": 1.0})
    text = Path("rl.yaml").read_text()
    assert "reward_model_name_or_path" not in text and "reward_funcs: [rewards.preaching]\n" in text
    assert "def preaching" in Path("rewards.py").read_text()


def test_the_plain_reward_says_nothing_of_terms(folder: Chosen) -> None:
    folder()
    assert not Path("rewards.py").exists() and "reward_weights" not in Path("rl.yaml").read_text()
    assert "rl.rewards" not in Path("README.md").read_text()
