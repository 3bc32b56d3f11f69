from __future__ import annotations

import os

import pytest
import torch

from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.errors import RunError
from stages import begun


def training(run: RunFolder) -> StageFolder:
    return begun(run, "models/sl")


def saved(stage: StageFolder) -> list[str]:
    return sorted(os.listdir(stage.path(".partial/checkpoints")))


def test_the_last_checkpoint_comes_back_exactly(run: RunFolder) -> None:
    stage = training(run)
    assert stage.checkpoint.latest() is None
    tensors = {"w": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T, "m": torch.tensor([1 / 3, 1e-30])}
    stage.checkpoint.save(10, {"w": torch.zeros(2)}, {})
    stage.checkpoint.save(20, tensors, {"loss": 0.1, "order": [3, 1, 2], "best": None})
    assert saved(stage) == ["step-00000020"]

    found = training(run).checkpoint.latest()
    assert found is not None and found.step == 20
    assert found.state == {"loss": 0.1, "order": [3, 1, 2], "best": None}
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype and torch.equal(found.tensors[name], tensor)


def test_a_partial_checkpoint_is_ignored_and_removed(run: RunFolder) -> None:
    stage = training(run)
    stage.checkpoint.save(10, {"w": torch.ones(2)}, {})
    partial = stage.path(".partial/checkpoints/.step-00000020.tmp")
    partial.mkdir()
    (partial / "tensors.safetensors").write_bytes(b"half")
    again = training(run)
    found = again.checkpoint.latest()
    assert found is not None and found.step == 10
    assert saved(again) == ["step-00000010"]


def test_killed_between_new_and_old_the_new_one_counts(run: RunFolder) -> None:
    stage = training(run)
    stage.checkpoint.save(9, {"w": torch.ones(1)}, {})
    old = stage.path(".partial/checkpoints/step-00000009")
    kept = {path.name: path.read_bytes() for path in old.iterdir()}
    stage.checkpoint.save(100_000_000, {"w": torch.zeros(1)}, {})
    old.mkdir()
    for name, data in kept.items():
        (old / name).write_bytes(data)
    found = training(run).checkpoint.latest()
    assert found is not None and found.step == 100_000_000


def test_counters_are_those_of_the_checkpoint(run: RunFolder) -> None:
    def train(stage: StageFolder, until: int) -> None:
        stage.drop("too long", 3)  # counted once, before the loop
        found = stage.checkpoint.latest()
        for step in range(found.step if found else 0, until):
            stage.count("examples", 4)
            if step % 2 == 1:
                stage.checkpoint.save(step + 1, {"w": torch.tensor([step])}, {})

    train(training(run), until=5)  # stops after step 5, saved at 4
    again = training(run)
    train(again, until=6)
    counts = again.finish().counts
    assert counts.dropped == {"too long": 3} and counts.other == {"examples": 24}


def test_checkpoints_go_when_the_stage_is_finished(run: RunFolder) -> None:
    stage = training(run)
    stage.checkpoint.save(1, {"w": torch.ones(1)}, {})
    manifest = stage.finish()
    assert manifest.outputs == {}
    assert os.listdir(stage.folder) == ["manifest.json"]


def test_an_unreadable_checkpoint_is_named(run: RunFolder) -> None:
    stage = training(run)
    stage.checkpoint.save(1, {"w": torch.ones(1)}, {})
    path = stage.path(".partial/checkpoints/step-00000001")
    (path / "tensors.safetensors").write_bytes(b"broken")
    with pytest.raises(RunError) as caught:
        training(run).checkpoint.latest()
    assert str(caught.value).startswith(f"cannot read the checkpoint {path}: ")
    assert f"delete that folder, then `solon resume {run.path}`" in str(caught.value)


def test_saving_needs_numbers_json_can_hold_and_keeps_the_last_one(run: RunFolder) -> None:
    stage = training(run)
    stage.checkpoint.save(1, {"w": torch.ones(1)}, {})
    with pytest.raises(ValueError):
        stage.checkpoint.save(2, {"w": torch.ones(1)}, {"loss": float("nan")})
    assert saved(stage) == ["step-00000001"]
