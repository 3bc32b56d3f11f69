"""Early stopping: who is kept out, that the best weights are kept, and that a kill changes no byte."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor

from solon.config.training import DPOSection, EarlyStoppingSection, PreferenceSection, SFTSection
from solon.errors import ConfigError
from solon.evals.checks import HeldOutLoss
from solon.models.heads import PreferenceModel
from solon.train.batches import TokenExample
from solon.train.dpo import train_dpo
from solon.train.early_stopping import held_out
from solon.train.loop import TrainStep
from solon.train.preference import PreferenceExample, train_preference
from solon.train.sft import finetune
from tiny_models import tiny_model
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context

STOPPING = EarlyStoppingSection(holdout=0.4, every=2, patience=2)
PLAIN: dict[str, Any] = {"batch_size": 4, "epochs": 8, "warmup_steps": 0, "checkpoint_steps": 3}


def _demonstrations() -> list[TokenExample]:
    """Answers that a model cannot guess from those to other prompts: learning them by heart does not help elsewhere."""
    draw = torch.Generator().manual_seed(0)
    rows = torch.randint(5, 90, (16, 8), generator=draw).tolist()
    return [TokenExample.answered(f"r{n}", row[:3], row[3:], prompt=f"p{n}") for n, row in enumerate(rows)]


def _pairs() -> list[PreferenceExample]:
    return [
        PreferenceExample(
            id=row.id,
            prompt_id=row.prompt,
            a_ids=row.input_ids,
            b_ids=(*row.input_ids[:3], *row.input_ids[:2:-1]),
            p_a_preferred=float(n % 2),
        )
        for n, row in enumerate(_demonstrations())
    ]


def _sft(model: Any, context: Any, stopping: EarlyStoppingSection | None = STOPPING) -> list[TrainStep]:
    section = SFTSection(**PLAIN, learning_rate=3e-2, early_stopping=stopping)
    return finetune(model, _demonstrations(), section, context)


def _preference(model: Any, context: Any, stopping: EarlyStoppingSection | None = STOPPING) -> list[TrainStep]:
    section = PreferenceSection(**PLAIN, learning_rate=3e-3, early_stopping=stopping)
    return train_preference(model, _pairs(), section, context)


def _dpo(model: Any, context: Any, stopping: EarlyStoppingSection | None = STOPPING) -> list[TrainStep]:
    section = DPOSection(**PLAIN, learning_rate=3e-3, early_stopping=stopping)
    return train_dpo(model, deepcopy(model), _pairs(), section, context)


def _preference_model() -> PreferenceModel:
    return PreferenceModel(tiny_model())


TRAININGS = [(_sft, tiny_model), (_preference, _preference_model), (_dpo, tiny_model)]
NAMES = ["sft", "preference", "dpo"]


@pytest.mark.parametrize(("train", "build"), TRAININGS, ids=NAMES)
def test_the_weights_of_the_lowest_loss_are_kept_and_the_training_ends(train: Any, build: Any) -> None:
    model, seen, weights = build(), list[HeldOutLoss](), list[list[Tensor]]()

    def looked(looks: Sequence[HeldOutLoss]) -> None:
        seen[:] = looks
        weights.append([one.detach().clone() for one in model.parameters()])

    steps = train(model, train_context(pad_id=1, looked=looked))
    losses = [look.loss for look in seen]
    best = losses.index(min(losses))
    assert [look.step for look in seen] == [*range(0, len(steps), 2), len(steps)]
    assert len(seen) - 1 - best == STOPPING.patience or len(steps) == 16
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), weights[best], strict=True))


def test_what_cannot_be_learnt_from_others_ends_early() -> None:
    """By heart it learns those that it sees, and does worse on the others: without stopping the steps would be 16."""
    patient = STOPPING.model_copy(update={"patience": 99})
    assert len(_sft(tiny_model(), train_context(pad_id=1))) == 10
    assert len(_sft(tiny_model(), train_context(pad_id=1), patient)) == 16


@pytest.mark.parametrize(("train", "build"), TRAININGS, ids=NAMES)
@pytest.mark.parametrize("at", [1, 4, 6])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(train: Any, build: Any, at: int) -> None:
    whole, resumed, checkpoints = build(), build(), MemoryCheckpoints()
    want, got, killed = list[Any](), list[Any](), list[Any]()
    undisturbed = train(whole, train_context(pad_id=1, looked=lambda looks: want.__setitem__(slice(None), looks)))
    if at > len(undisturbed):
        return
    with pytest.raises(Killed):
        train(build(), train_context(pad_id=1, checkpoints=checkpoints, progress=killer(at), looked=killed.append))
    context = train_context(pad_id=1, checkpoints=checkpoints, looked=lambda looks: got.__setitem__(slice(None), looks))
    assert train(resumed, context) == undisturbed
    assert same_bytes(resumed, whole) and got == want


def test_a_resumed_training_goes_back_to_weights_from_before_the_kill() -> None:
    """The best of all is the first look; the kill comes long after it."""
    stopping = EarlyStoppingSection(holdout=0.4, every=1, patience=7)
    whole, resumed, checkpoints, first = tiny_model(), tiny_model(), MemoryCheckpoints(), tiny_model()
    section = SFTSection(**PLAIN | {"checkpoint_steps": 5}, learning_rate=3e-3, early_stopping=stopping)
    want = finetune(whole, _demonstrations(), section, train_context(pad_id=1))
    with pytest.raises(Killed):
        finetune(
            tiny_model(),
            _demonstrations(),
            section,
            train_context(pad_id=1, checkpoints=checkpoints, progress=killer(6)),
        )
    got = finetune(resumed, _demonstrations(), section, train_context(pad_id=1, checkpoints=checkpoints))
    assert got == want and len(got) == 7 and checkpoints.steps == [5]
    assert same_bytes(whole, first) and same_bytes(resumed, first)


def test_prompts_are_kept_out_whole_and_by_name() -> None:
    section = SFTSection(early_stopping=EarlyStoppingSection(holdout=0.5))
    prompts = [f"p{n // 2}" for n in range(40)]
    kept = held_out(prompts, section, "sft", seed=0)
    assert 8 <= len(kept) <= 32 and {prompts[one] for one in kept}.isdisjoint(
        prompts[one] for one in range(40) if one not in kept
    )
    again = [prompts[::-1][one] for one in held_out(prompts[::-1], section, "sft", seed=0)]
    assert sorted(again) == sorted(prompts[one] for one in kept), "by name, wherever it stands"
    assert kept != held_out(prompts, section, "sft", seed=1)
    assert held_out(prompts, SFTSection(), "sft", seed=0) == []


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.001, "sft.early_stopping.holdout is 0.001, which keeps out 0 of 2 prompts (raise it, or give more prompts)"),
        (0.999, "sft.early_stopping.holdout is 0.999, which keeps out 2 of 2 prompts (lower it, or give more prompts)"),
    ],
)
def test_a_share_that_leaves_nothing_on_one_side(share: float, said: str) -> None:
    section = SFTSection(early_stopping=EarlyStoppingSection(holdout=share))
    with pytest.raises(ConfigError) as raised:
        held_out(["a", "b", "a"], section, "sft", seed=0)
    assert str(raised.value) == said
