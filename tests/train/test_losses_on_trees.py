"""Every loss has the gradient on trees, where what rows share is computed once, that it has on separate rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from solon.config.training import DPOSection, OptimizerSection, PreferenceSection, RLSection, SFTSection
from solon.models.heads import PreferenceModel, ValueModel
from solon.pipeline.learning import algorithm_of
from solon.train import forward
from solon.train.batches import TokenExample
from solon.train.dpo import train_dpo
from solon.train.loop import TrainContext, Trainer
from solon.train.preference import PreferenceExample, train_preference
from solon.train.rewards import OfAnswers, Reward
from solon.train.rl import reinforce
from solon.train.rollouts import Environment, PolicyPrompt, RLModels
from solon.train.sft import finetune
from tiny_models import FAMILIES, Family, tiny_model
from train.keeping import train_context
from train.sampling import NaiveSampler

PROMPTS = [tuple(range(start, start + 9)) for start in (20, 60, 24)]
PAIRS = [
    PreferenceExample(
        id=f"{n}",
        prompt_id=f"{n % 3}",
        a_ids=(*PROMPTS[n % 3], 100 + n, 101, 0),
        b_ids=(*PROMPTS[n % 3], 100 + n // 2, 130, 131 + n, 0),
        p_a_preferred=0.1 + 0.8 * (n % 2),
        weight=1.0 + n,
    )
    for n in range(6)
]
ROWS = [
    TokenExample.answered(f"{n}", PROMPTS[n % 3], answer)
    for n, pair in enumerate(PAIRS)
    for answer in (pair.a_ids[9:], pair.b_ids[9:])
]
Train = Callable[[Family, int, TrainContext], Any]


def _settings(kind: type[OptimizerSection], budget: int, **settings: Any) -> Any:
    return kind.model_validate({"learning_rate": 1e-3, "batch_size": 16, "micro_batch_tokens": budget, **settings})


def _sft(family: Family, budget: int, context: TrainContext) -> None:
    finetune(tiny_model(family), ROWS, _settings(SFTSection, budget), context)


def _preference(family: Family, budget: int, context: TrainContext) -> None:
    train_preference(PreferenceModel(tiny_model(family)), PAIRS, _settings(PreferenceSection, budget), context)


def _dpo(loss: str) -> Train:
    def train(family: Family, budget: int, context: TrainContext) -> None:
        reference = tiny_model(family, seed=5)
        train_dpo(tiny_model(family), reference, PAIRS, _settings(DPOSection, budget, loss=loss), context)

    return train


def _rl(algorithm: str) -> Train:
    """Policy and value model, of which the head has learned something."""

    def train(family: Family, budget: int, context: TrainContext) -> None:
        policy, value = tiny_model(family), None
        if algorithm == "ppo":
            value = ValueModel(tiny_model(family, seed=3))
            value.head.weight.data.normal_(generator=torch.Generator().manual_seed(0))
        environment = Environment(
            prompts=[PolicyPrompt(id=f"{n}", text=" ".join(map(str, ids))) for n, ids in enumerate(PROMPTS)],
            sampler=NaiveSampler(model=policy, eos_id=0),
            reward=Reward.of(OfAnswers(lambda _, answers: [sum(one.answer_ids) / 1000 for one in answers])),
            max_new_tokens=5,
        )
        settings = {"algorithm": algorithm, "prompts_per_step": 2, "samples_per_prompt": 4, "kl_in": "loss"}
        section = _settings(RLSection, budget, **settings)
        models = RLModels(policy=policy, reference=tiny_model(family, seed=5), value_model=value)
        reinforce(algorithm_of(algorithm), models, environment, section, context, lambda *_: None)

    return train


LOSSES: dict[str, Train] = {
    "sft": _sft,
    "preference": _preference,
    "dpo": _dpo("sigmoid"),
    "ipo": _dpo("ipo"),
    "policy": _rl("grpo"),
    "policy and value": _rl("ppo"),
}


class _Seen(Exception):
    """The gradient of the first update."""


def _gradients(
    train: Train, family: Family, monkeypatch: pytest.MonkeyPatch, *, trees: bool
) -> tuple[dict[str, Tensor], int]:
    """By name, unclipped; and how many tokens were read. Without trees every row or pair is read alone."""
    found: dict[str, Tensor] = {}
    read: list[int] = []

    def update(self: Trainer, parts: Any, loss_of: Any, *, weight: float, **_: Any) -> None:
        read.clear()
        for part in parts:
            (loss_of(part)[0] / weight).backward()
        found.update({name: one.grad for name, one in self.masters.items() if one.grad is not None})
        raise _Seen

    def collate(*rows: Any, **how: Any) -> Any:
        batch = real(*rows, **how)
        read.append(batch.input_ids_BT.numel())
        return batch

    real = forward.collate
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "update", update)
        patched.setattr(forward, "collate", collate)
        if not trees:
            patched.setattr(forward, "packs", lambda model: False)
        with pytest.raises(_Seen):
            train(family, 10_000 if trees else 1, train_context(pad_id=1))
    return found, sum(read)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_on_trees_are_those_of_separate_rows(
    loss: str, family: Family, monkeypatch: pytest.MonkeyPatch
) -> None:
    (together, fewer), (apart, more) = (
        _gradients(LOSSES[loss], family, monkeypatch, trees=trees) for trees in (True, False)
    )
    assert fewer < 0.8 * more and together.keys() == apart.keys()
    for module in {name.partition(".")[0] for name in apart}:
        one, other = (
            torch.cat([tensors[name].flatten() for name in sorted(apart) if name.startswith(f"{module}.")])
            for tensors in (together, apart)
        )
        assert float(other.norm()) > 1e-4
        assert float((one - other).norm() / other.norm()) < 1e-5
