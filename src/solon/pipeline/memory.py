"""What the training stages of a run take of memory, worked out from the base model's files without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from solon.config.run import RunConfig
from solon.config.training import OptimizerSection
from solon.lm.check import look_at
from solon.lm.describe import reading
from solon.lm.engines import reads_folder
from solon.models.folder import weight_bytes
from solon.models.memory import (
    Learning,
    ModelSize,
    Reading,
    StageMemory,
    finetuning_memory,
    preference_memory,
    rl_memory,
)
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.where import model_folder
from solon.pipeline.actors import Actors
from solon.pipeline.learning import algorithm_of, shares_weights
from solon.pipeline.stages import stages_of


def training_memory(config: RunConfig) -> dict[str, StageMemory]:
    """By the name of the stage. The preference model is as large as the base model that it is made from."""
    models = config.models
    device = resolve_device(models.device)
    looked = look_at(Actors(config=config).path("base"), trust_remote_code=models.trust_remote_code, dialogue=None)
    size, whole = ModelSize.of(looked.outline), reading(config, looked, resolve_dtype(models.dtype, device), device)

    def read(section: OptimizerSection) -> tuple[ModelSize, Reading, Learning]:
        return size, replace(whole, micro_batch_tokens=section.micro_batch_tokens), Learning.by(section)

    value_model, copied = algorithm_of(config.rl.algorithm).VALUE_MODEL, looked.summary.decoder == "lean"
    beside = Learning.by(config.preference) if shares_weights(config) else None
    rl = rl_memory(*read(config.rl), value_model=value_model, copied=copied, beside=beside)
    of = {
        "sl": finetuning_memory(*read(config.sft)),
        "pm": preference_memory(*read(config.preference)),
        "rl": rl.model_copy(update={"held": _rewarding(rl.held, config)}),
        "dpo": finetuning_memory(*read(config.dpo)),
    }
    return {stage.name: of[stage.name] for stage in stages_of(config) if stage.trains}


def _rewarding(held: Mapping[str, int], config: RunConfig) -> dict[str, int]:
    """What RL holds, with the weights of all models that reward and of the one that its monitor goes by, as large as
    their files; what a judge needs beside its weights is not among it."""
    rewards, monitor, judge = config.rl.rewards, config.rl.monitor, config.models.role("judge")
    found = dict(held)
    if not rewards.preference:
        base = found.pop("preference model", 0)
        if algorithm_of(config.rl.algorithm).VALUE_MODEL and config.rl.lora is not None:
            found["value model"] = base  # of its own, where there is no preference model to put adapters on
    for name, model in rewards.models.items():
        if model.weight:
            found[f"preference model {name}"] = weight_bytes(Path(model.path))
    if monitor and config.gold == "model":
        found["monitor's preference model"] = weight_bytes(Path(monitor.model))
    if (rewards.judge or config.gold == "judge") and reads_folder(judge.engine):
        found["judge"] = weight_bytes(model_folder(judge.path))
    return found
