"""Learning rates: by hand, beside torch's own schedulers, and as a whole training has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR

from solon.config.training import PreferenceSection, SFTSection
from solon.train.loop import Trainer, TrainStep, run_steps
from solon.train.schedules import schedule_of, warmed_up
from train.keeping import train_context


def _section(**changes: Any) -> SFTSection:
    return SFTSection(**{"learning_rate": 0.1, "warmup_steps": 0, "final_share": 0.05} | changes)


def _rates(section: SFTSection, steps: int) -> list[float]:
    """Of every step of a training."""
    model = nn.Linear(1, 1)
    trainer = Trainer({"model": model}, section)

    def step(_number: int, _before: Sequence[TrainStep]) -> TrainStep:
        return trainer.update([[0]], lambda _: (model.weight.sum(), torch.ones(())), weight=1, tokens=1)

    records = run_steps(trainer, step, steps=steps, record=TrainStep, context=train_context(pad_id=0))
    return [record.learning_rate for record in records]


def test_as_worked_in_the_docstrings() -> None:
    assert [warmed_up(1e-3, step, 4) for step in (1, 4, 9)] == [2.5e-4, 1e-3, 1e-3]
    assert warmed_up(1e-3, 1, 0) == 1e-3
    linear, cosine = (schedule_of(_section(schedule=name, final_share=0.2)) for name in ("linear", "cosine"))
    assert [linear(0.25), cosine(0.25), linear(0.5), cosine(0.5)] == pytest.approx([0.8, 0.8828, 0.6, 0.6], abs=1e-4)


@pytest.mark.parametrize("name", ["linear", "cosine"])
@pytest.mark.parametrize("steps", [2, 5, 60])
@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 1.0])
def test_the_first_step_has_the_full_rate_and_the_last_exactly_its_final_share(
    name: str, steps: int, share: float
) -> None:
    rates = _rates(_section(schedule=name, final_share=share), steps)
    assert (rates[0], rates[-1]) == (0.1, 0.1 * share)
    assert rates == sorted(rates, reverse=True)


def test_a_single_step_has_the_full_rate() -> None:
    assert _rates(_section(), 1) == [0.1]


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_the_schedules_are_torch_s(name: str) -> None:
    adamw = torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=0.1)
    theirs = (
        LinearLR(adamw, start_factor=1.0, end_factor=0.05, total_iters=6)
        if name == "linear"
        else CosineAnnealingLR(adamw, T_max=6, eta_min=0.005)
    )
    expected: list[float] = []
    for _ in range(7):
        expected.append(theirs.get_last_lr()[0])
        adamw.step()
        theirs.step()
    assert _rates(_section(schedule=name), 7) == pytest.approx(expected, rel=1e-6)


def test_what_is_constant_and_what_no_run_file_says() -> None:
    constant = [0.1] * 4
    assert _rates(_section(schedule="constant", final_share=1.0), 4) == constant
    assert _rates(_section(final_share=1.0), 4) == constant
    done: Sequence[float] = (0.0, 0.3, 1.0)
    plain = schedule_of(PreferenceSection())
    assert [plain(one) for one in done] == [1.0, 1.0, 1.0]
