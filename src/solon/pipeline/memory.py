"""What the training stages of a run take of memory, worked out from the base model's files without its weights."""

from __future__ import annotations

from dataclasses import replace

from solon.config.run import RunConfig
from solon.config.training import OptimizerSection
from solon.lm.check import look_at
from solon.lm.describe import reading
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
from solon.pipeline.actors import Actors
from solon.pipeline.learning import algorithm_of, shares_weights


def training_memory(config: RunConfig) -> dict[str, StageMemory]:
    """By the name of the stage. The preference model is as large as the base model that it is made from."""
    models = config.models
    device = resolve_device(models.device)
    looked = look_at(Actors(config=config).path("base"), trust_remote_code=models.trust_remote_code, dialogue=None)
    size, whole = ModelSize.of(looked.outline), reading(config, looked, resolve_dtype(models.dtype, device), device)

    def read(section: OptimizerSection) -> tuple[ModelSize, Reading, Learning]:
        return size, replace(whole, micro_batch_tokens=section.micro_batch_tokens), Learning.by(section)

    if config.alignment == "dpo":
        return {"sl": finetuning_memory(*read(config.sft)), "dpo": finetuning_memory(*read(config.dpo))}
    value_model, copied = algorithm_of(config.rl.algorithm).VALUE_MODEL, looked.summary.decoder == "lean"
    beside = Learning.by(config.preference) if shares_weights(config) else None
    return {
        "sl": finetuning_memory(*read(config.sft)),
        "pm": preference_memory(*read(config.preference)),
        "rl": rl_memory(*read(config.rl), value_model=value_model, copied=copied, beside=beside),
    }
