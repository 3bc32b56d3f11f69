"""A run that trains by adapters: fewer models in memory, and plain model folders in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from pipeline.tiny_run import run_in, world_config
from solon.artifacts.hashes import sha256_file
from solon.errors import UserError
from solon.models import adapters, load
from solon.pipeline.check import check_inputs

SECTIONS = ("sft", "preference", "rl")
LORA = [setting for section in SECTIONS for setting in (f"{section}.lora.rank=4", f"{section}.learning_rate=1e-2")]


def shapes(folder: Path) -> dict[str, tuple[str, list[int]]]:
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        names = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: (one.get_dtype(), one.get_shape()) for name, one in names.items()}


@pytest.mark.parametrize(
    "settings",
    [["rl.algorithm=grpo"], ["rl.algorithm=ppo", *(f"{name}.gradient_checkpointing=true" for name in SECTIONS)]],
)
def test_every_stage_ends_in_a_plain_model(
    settings: list[str], llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    real = load._loaded

    def counted(kind: Any, folder: Path, **how: Any) -> Any:
        loaded.append(folder)
        return real(kind, folder, **how)

    monkeypatch.setattr(load, "_loaded", counted)
    run = tmp_path / "run"
    run_in(run, world_config(llama, *LORA, *settings), until="rl")
    models = {stage: run / "models" / stage / "model" for stage in ("sl", "pm", "rl")}
    assert loaded[-2:] == [models["sl"], models["pm"]] and models["sl"] != loaded[-3], "no second model as reference"
    assert all(shapes(folder) == shapes(llama) for folder in models.values())
    weights = {sha256_file(folder / "model.safetensors") for folder in (llama, *models.values())}
    assert len(weights) == 4, "each has learned"


def test_a_run_that_needs_peft_does_not_begin_without_it(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    check_inputs(world_config(llama))
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, "preference.lora.rank=4"))
    assert str(raised.value) == "LoRA needs peft, which is missing (pip install 'solon[lora]')"
