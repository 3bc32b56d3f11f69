"""A run that trains by adapters: fewer models in memory, and plain model folders in the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from pipeline.tiny_run import manifest, rows, run_in, world_config
from solon.artifacts.hashes import sha256_file
from solon.artifacts.reuse import OtherRuns
from solon.errors import UserError
from solon.models import adapters, load
from solon.models.heads import PreferenceModel
from solon.models.load import load_tokenizer
from solon.pipeline.check import check_inputs
from solon.prompting.chat_template import dialogue_format
from solon.records import Turn
from solon.train.preference import scores, sequence_tokens

SECTIONS = ("sft", "preference", "rl")
LORA = [setting for section in SECTIONS for setting in (f"{section}.lora.rank=4", f"{section}.learning_rate=1e-2")]


def shapes(folder: Path) -> dict[str, tuple[str, list[int]]]:
    with safe_open(folder / "model.safetensors", framework="pt") as file:
        names = {name: file.get_slice(name) for name in sorted(file.keys())}
        return {name: (one.get_dtype(), one.get_shape()) for name, one in names.items()}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders of models, as they are loaded."""
    found: list[Path] = []
    real = load._loaded

    def counted(kind: Any, folder: Path, **how: Any) -> Any:
        found.append(folder)
        return real(kind, folder, **how)

    monkeypatch.setattr(load, "_loaded", counted)
    return found


@pytest.mark.parametrize(
    "settings",
    [["rl.algorithm=grpo"], ["rl.algorithm=ppo", *(f"{name}.gradient_checkpointing=true" for name in SECTIONS)]],
)
def test_every_stage_ends_in_a_plain_model(
    settings: list[str], llama: Path, finished: Path, tmp_path: Path, loaded: list[Path]
) -> None:
    run = tmp_path / "run"
    run_in(run, world_config(llama, *LORA, *settings), until="rl", others=OtherRuns.of(run, [finished]))
    models = {stage: run / "models" / stage / "model" for stage in ("sl", "pm", "rl")}
    assert loaded[-2:] == [models["sl"], models["pm"]] and models["sl"] != loaded[-3], "no second model as reference"
    head = {"score.weight": ("F32", [1, 32])}
    assert all(shapes(models[stage]) == shapes(llama) | (head if stage == "pm" else {}) for stage in models)
    weights = {sha256_file(folder / "model.safetensors") for folder in (llama, *models.values())}
    assert len(weights) == 4, "each has learned"


def test_rl_holds_one_model_where_the_preference_model_is_an_adapter_on_sl_cai(
    llama: Path, finished: Path, tmp_path: Path, loaded: list[Path]
) -> None:
    """Its rewards are those of the preference model that is saved, and a run with PPO has two models nevertheless."""
    run, sl, pm = tmp_path / "run", tmp_path / "run/models/sl/model", tmp_path / "run/models/pm/model"
    run_in(run, world_config(llama, *LORA, "preference.start=sl"), until="rl", others=OtherRuns.of(run, [finished]))
    assert loaded[-2:] == [sl, sl], "one for the preference model's training, one for RL"
    assert "sl" in manifest(run, "models/pm").inputs
    model, tokenizer = PreferenceModel.load(pm, dtype=torch.float32, device="cpu"), load_tokenizer(pm)
    format, prompts = dialogue_format(tokenizer), {row["id"]: row for row in asked(run)}
    for row in rows(run, "models/rl", "rollouts"):
        turns = [Turn.model_validate(turn) for turn in prompts[row["prompt_id"]]["turns"]]
        read = sequence_tokens(tokenizer, format.prompt(turns), format.answer(row["text"]))
        assert row["preference_score"] == pytest.approx(scores(model, [read], pad_id=0)[0], abs=1e-4)
    ppo = world_config(llama, *LORA, "preference.start=sl", "rl.algorithm=ppo")
    run_in(tmp_path / "ppo", ppo, until="rl", others=OtherRuns.of(tmp_path / "ppo", [run]))
    assert [path.parts[-3:] for path in loaded[-2:]] == [("models", "sl", "model"), ("models", "pm", "model")]


def asked(run: Path) -> list[dict[str, Any]]:
    return [row for name in ("prompts-red-team", "prompts-helpful") for row in rows(run, "prompts", name)]


def test_a_run_that_needs_peft_does_not_begin_without_it(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    check_inputs(world_config(llama))
    with pytest.raises(UserError) as raised:
        check_inputs(world_config(llama, "preference.lora.rank=4"))
    assert str(raised.value) == "LoRA needs peft, which is missing (pip install 'solon[lora]')"
