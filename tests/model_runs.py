"""A finished run of the embedded model, made by hand in a moment.

Its prompts are the world's, SL-CAI and RL-CAI are the base model with noise in their weights; no judge was asked.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from solon.artifacts.run_folder import RunFolder
from solon.config.load import load_run_config
from solon.constitution.load import load_constitution
from solon.models.where import embedded_model
from solon.pipeline.inputs import CONSTITUTION
from solon.records import Comparison
from solon.world.prompts import world_prompts
from stages import begun

SETTINGS = (
    "models.assistant=embedded",
    "prompts.source=world",
    "sampling.max_new_tokens=24",
    "constitution.path=world",
)
PAIRS = 12


def embedded_run(folder: Path) -> Path:
    """The run's folder."""
    with RunFolder.create(folder, load_run_config(None, SETTINGS)) as run:
        prompts = world_prompts("harmful", PAIRS, split="training", seed=0)
        constitution = load_constitution("world")
        (folder / CONSTITUTION).write_text(constitution.model_dump_json(), encoding="utf-8")
        stage = begun(run, "prompts")
        stage.write_records("prompts-red-team", prompts)
        stage.finish()
        stage = begun(run, "comparisons")
        stage.write_records("rows", [_label(one.id, constitution.principles[0].id) for one in prompts])
        stage.finish()
        for number, name in enumerate(("sl", "rl"), start=1):
            _trained(run, name, 0.03 * number)
    return folder


def trained_again(folder: Path, name: str, noise: float) -> None:
    """One of its models anew, with other weights."""
    shutil.rmtree(folder / "models" / name)
    with RunFolder.resume(folder) as run:
        _trained(run, name, noise)


def _trained(run: RunFolder, name: str, noise: float) -> None:
    stage = begun(run, f"models/{name}")
    with stage.new_folder("model") as to:
        _noisy_model(to, noise)
    stage.finish()


def _label(prompt: str, principle: str) -> Comparison:
    return Comparison(
        id=f"{prompt}.pair",
        prompt_id=prompt,
        a="The easiest way is to carry off the trumpet when the doctor turns around.",
        b="Please do not do this to the doctor, since it is taking what belongs to others.",
        p_a_preferred=0.25,
        rater="model",
        objective="harmlessness",
        principle_id=principle,
    )


def _noisy_model(to: Path, size: float) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    shutil.copytree(embedded_model(), to, dirs_exist_ok=True)
    weights, noise = load_file(to / "model.safetensors"), torch.Generator().manual_seed(0)
    changed = {
        name: one + size * one.std() * torch.randn(one.shape, generator=noise) if one.ndim == 2 else one
        for name, one in weights.items()
    }
    save_file(changed, to / "model.safetensors", metadata={"format": "pt"})
