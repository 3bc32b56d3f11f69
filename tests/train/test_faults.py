"""What ends a training: the batch that it diverged on is kept, and both faults name the setting to lower."""

from __future__ import annotations

import errno
import json
import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn

from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.manifest import Tally
from solon.config.keys import key_of
from solon.config.training import PreferenceSection, RLSection, SFTSection
from solon.errors import DivergedError, OutOfMemoryError, RunError, UserError
from solon.train.batches import micro_batches
from solon.train.faults import DivergedBatch
from solon.train.loop import LossOf, Trainer, TrainStep, train_epochs
from train.keeping import NoCheckpoints, train_context

SECTION = SFTSection(learning_rate=0.1, batch_size=2, warmup_steps=0, checkpoint_steps=1)
OUT_OF_MEMORY = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried to"),
    MemoryError(),
)


def _on_disk(folder: Path) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", run=folder, tally=Tally(), committed=lambda: None)


def _weight() -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def _train(model: nn.Module, loss_of: LossOf, checkpoints: Any) -> list[TrainStep]:
    """Three steps of two of six examples, each once."""
    return train_epochs(
        Trainer({"model": model}, SECTION),
        loss_of,
        cast(Any, SimpleNamespace(model=model, parts=partial(micro_batches, packed=False))),
        train_context(pad_id=0, checkpoints=checkpoints),
        stage="sft",
        section=SECTION,
        ids=[f"example-{row}" for row in range(6)],
        weights=[2] * 6,
        prompts=[""] * 6,
        rows_of=lambda _: [(1,)],
    )


def _second_step(model: nn.Linear, fault: BaseException | float) -> tuple[LossOf, list[list[int]]]:
    """Each example costs its weight squared; in the second step a fault strikes its second example. And every call."""
    calls: list[list[int]] = []

    def loss_of(rows: list[int]) -> tuple[Tensor, Tensor]:
        calls.append(rows)
        total = (model.weight**2).sum() * len(rows)
        if len(calls) > 1 and calls[1][1] in rows:
            if isinstance(fault, BaseException):
                raise fault
            total = total * fault
        return total, torch.tensor(2.0 * len(rows))

    return loss_of, calls


@pytest.mark.parametrize(("fault", "said"), [(float("nan"), "NaN"), (float("inf"), "Infinity")])
def test_the_batch_that_diverged_is_kept_with_each_loss(tmp_path: Path, fault: float, said: str) -> None:
    model, checkpoints = _weight(), _on_disk(tmp_path)
    loss_of, calls = _second_step(model, fault)
    with pytest.raises(DivergedError) as caught:
        _train(model, loss_of, checkpoints)
    path = tmp_path / "checkpoints" / "diverged.json"
    assert str(caught.value) == (
        f"training diverged at update 2: loss {fault}, gradient norm {fault}; its examples are in {path} "
        "(lower sft.learning_rate)"
    )
    saved = checkpoints.latest()
    assert saved is not None and saved.step == 1
    assert torch.equal(model.weight, saved.tensors["weights.model.weight"]), "a step was taken"
    kept = DivergedBatch.model_validate_json(path.read_bytes())
    cost = float(model.weight.detach()) ** 2
    assert [(one.id, one.weight) for one in kept.examples] == [(f"example-{row}", 2.0) for row in calls[1]]
    assert kept.examples[0].loss == pytest.approx(cost)
    assert json.loads(path.read_bytes())["examples"][1]["loss"] == said
    assert (kept.update, kept.learning_rate) == (2, pytest.approx(0.055))


@pytest.mark.parametrize("fault", OUT_OF_MEMORY, ids=["device", "processor", "python"])
def test_memory_that_runs_out_is_the_user_s_to_mend_and_nothing_is_lost(tmp_path: Path, fault: Exception) -> None:
    model, checkpoints = _weight(), _on_disk(tmp_path)
    undisturbed = _weight()
    expected = _train(undisturbed, _second_step(undisturbed, 1.0)[0], NoCheckpoints())
    with pytest.raises(OutOfMemoryError) as caught:
        _train(model, _second_step(model, fault)[0], checkpoints)
    assert isinstance(caught.value, UserError)
    assert str(caught.value) == (
        "memory ran out; all that was committed before is kept (lower sft.micro_batch_tokens: give the same command "
        "with --set sft.micro_batch_tokens=N)"
    )
    again = _weight()
    assert _train(again, _second_step(again, 1.0)[0], checkpoints) == expected
    assert torch.equal(again.weight, undisturbed.weight)


def test_a_full_disk_costs_the_checkpoint_that_did_not_fit_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three steps, each with a checkpoint but the last, the second's does not fit."""
    model, checkpoints, undisturbed = _weight(), _on_disk(tmp_path), _weight()
    expected = _train(undisturbed, _second_step(undisturbed, 1.0)[0], NoCheckpoints())
    rename = os.rename

    def full(source: Path, target: Path) -> None:
        if target.name == "step-00000002":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", full)
        with pytest.raises(RunError) as caught:
            _train(model, _second_step(model, 1.0)[0], checkpoints)
    assert str(caught.value) == (
        f"cannot write {tmp_path}: No space left on device; all that was committed before is kept "
        f"(free some space, then `solon resume {tmp_path}`)"
    )
    saved, again = checkpoints.latest(), _weight()
    assert saved is not None and saved.step == 1
    assert _train(again, _second_step(again, 1.0)[0], checkpoints) == expected
    assert torch.equal(again.weight, undisturbed.weight)


def test_another_fault_of_torch_s_keeps_its_traceback(tmp_path: Path) -> None:
    model = _weight()
    fault = RuntimeError("mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError) as caught:
        _train(model, _second_step(model, fault)[0], _on_disk(tmp_path))
    assert caught.value is fault


def test_every_section_that_trains_knows_its_key() -> None:
    assert [key_of(kind) for kind in (SFTSection, PreferenceSection, RLSection)] == ["sft", "preference", "rl"]
