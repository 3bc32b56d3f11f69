"""Steps as trackers show them: read back from their own files, once each also after a kill, never in the records."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from solon.artifacts.manifest import Header
from solon.config.run import Tracker
from solon.config.training import SFTSection
from solon.errors import ConfigError
from solon.train import tracking
from solon.train.loop import Trainer, TrainStep, run_steps
from solon.train.tracking import Speed, check_trackers, trackers, untracked
from train.keeping import Killed, MemoryCheckpoints, train_context

HEADER = Header(stage="models/sl", seed=3, config={"sft": {"learning_rate": 0.1}}, inputs={})
SECTION = SFTSection(learning_rate=0.1, warmup_steps=0, checkpoint_steps=2)


def _train(run: Path, names: tuple[Tracker, ...], checkpoints: Any, kill_at: int = 0) -> list[TrainStep]:
    """Five steps of ten tokens, the losses of which differ."""
    model = nn.Linear(1, 1)
    nn.init.ones_(model.weight)
    trainer = Trainer({"model": model}, SECTION)

    def step(number: int, _before: Sequence[TrainStep]) -> TrainStep:
        if number == kill_at:
            raise Killed
        return trainer.update([[0]], lambda _: ((model.weight**2).sum(), torch.ones(())), weight=1, tokens=10)

    with trackers(names, run, HEADER) as track:
        context = train_context(pad_id=0, checkpoints=checkpoints, track=track)
        return run_steps(trainer, step, steps=5, record=TrainStep, context=context)


def test_tensorboard_shows_every_step_once_also_after_a_kill(tmp_path: Path) -> None:
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard (pip install tensorboard)"
    )
    checkpoints = MemoryCheckpoints()
    with pytest.raises(Killed):
        _train(tmp_path, ("tensorboard",), checkpoints, kill_at=4)
    records = _train(tmp_path, ("tensorboard",), checkpoints)
    shown = reader.EventAccumulator(str(tmp_path / "tracking" / "models" / "sl")).Reload()
    speed = {"tokens_per_second", "flops_per_second"}
    expected = {*TrainStep.model_fields} - {"step"}
    assert set(shown.Tags()["scalars"]) == expected | speed
    for name in expected:
        told = [(one.step, one.value) for one in shown.Scalars(name)]
        assert told == [(one.step, pytest.approx(getattr(one, name))) for one in records]
    speeds = [one.value for one in shown.Scalars("tokens_per_second")]
    assert len(speeds) == 5 and min(speeds) > 10


def test_what_was_tracked_before_a_kill_of_the_process_is_on_disk(tmp_path: Path) -> None:
    """Nobody closes the files then."""
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard (pip install tensorboard)"
    )
    record = TrainStep(step=7, loss=0.5, grad_norm=1.0, learning_rate=0.1, tokens=10)
    with trackers(("tensorboard",), tmp_path, HEADER) as track:
        track(record, Speed(tokens_per_second=99.0, flops_per_second=5.0, mfu=None))
        shown = reader.EventAccumulator(str(tmp_path / "tracking" / "models" / "sl")).Reload()
        assert [(one.step, one.value) for one in shown.Scalars("loss")] == [(7, 0.5)]


def test_weights_and_biases_works_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb", reason="no wandb (pip install 'solon[tracking]')")
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_PROJECT": "mine"}.items():
        monkeypatch.setenv(name, value)
    records = _train(tmp_path, ("wandb",), MemoryCheckpoints())
    (path,) = (tmp_path / "tracking" / "models" / "sl" / "wandb").glob("offline-run-*/run-*.wandb")
    data = path.read_bytes()
    assert b"tokens_per_second" in data
    assert all(json.dumps(record.loss).encode() in data for record in records)


@pytest.fixture
def wandb(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What stands in for the library, which brings a dozen others: it remembers what it is told."""
    told = SimpleNamespace(begun=[], logged=[], ended=[], Error=type("Error", (Exception,), {}), Settings=dict)
    run = SimpleNamespace(
        log=lambda numbers, step: told.logged.append((step, numbers)),
        finish=lambda exit_code: told.ended.append(exit_code),
    )
    told.init = lambda **how: told.begun.append(how) or run
    monkeypatch.setitem(sys.modules, "wandb", told)
    monkeypatch.setattr(tracking, "find_spec", lambda _: object())
    monkeypatch.delenv("WANDB_PROJECT", raising=False)
    return told


def test_weights_and_biases_is_told_of_a_stage_its_settings_and_its_numbers(
    tmp_path: Path, wandb: SimpleNamespace
) -> None:
    """Neither code nor console; a run of ours is a group, and a training that failed is one there."""
    records = _train(tmp_path / "mine", ("wandb",), MemoryCheckpoints())
    (how,) = wandb.begun
    assert (how["project"], how["group"], how["name"], how["resume"]) == ("solon", "mine", "models/sl", "auto")
    assert how["config"] == {"seed": 3, "settings": {"sft": {"learning_rate": 0.1}}}
    assert how["settings"] == {"console": "off", "disable_code": True, "disable_git": True}
    assert how["dir"] == tmp_path / "mine" / "tracking" / "models/sl"
    assert [(step, numbers["loss"]) for step, numbers in wandb.logged] == [(one.step, one.loss) for one in records]
    assert wandb.ended == [0]
    with pytest.raises(Killed):
        _train(tmp_path / "mine", ("wandb",), MemoryCheckpoints(), kill_at=3)
    assert wandb.ended == [0, 1]


def test_weights_and_biases_that_cannot_begin_is_one_line(tmp_path: Path, wandb: SimpleNamespace) -> None:
    def refused(**_: object) -> None:
        raise wandb.Error("no key")

    wandb.init = refused
    with pytest.raises(ConfigError) as caught:
        _train(tmp_path, ("wandb",), MemoryCheckpoints())
    hint = "see to that, set WANDB_MODE=offline, or take wandb out of tracking.to"
    assert str(caught.value) == f"wandb cannot begin: no key ({hint})"


def test_neither_records_nor_files_know_of_what_is_not_tracked(tmp_path: Path) -> None:
    records = _train(tmp_path, (), MemoryCheckpoints())
    assert "tokens_per_second" not in TrainStep.model_fields and len(records) == 5
    assert list(tmp_path.iterdir()) == []
    with trackers((), tmp_path, HEADER) as track:
        assert track is untracked


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_a_missing_library_is_told_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: Tracker
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        check_trackers((name,))
    said = f"tracking.to names {name}, a library that is missing (pip install 'solon[tracking]')"
    assert str(caught.value) == said
    with pytest.raises(ConfigError), trackers((name,), tmp_path, HEADER):
        pass
    check_trackers(())
