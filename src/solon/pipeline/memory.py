"""What the training stages of a run take of memory, worked out from the base model's files without its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from solon.config.run import RunConfig
from solon.config.training import TOKENS_AT_ONCE, OptimizerSection
from solon.lm.check import Looked, look_at
from solon.lm.describe import reading
from solon.lm.engines import reads_folder
from solon.models.folder import weight_bytes
from solon.models.machine import Machine
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

SECTIONS = {"sl": "sft", "pm": "preference", "rl": "rl", "dpo": "dpo"}
"""Of the stages that train."""
SHARE = 0.8
"""Of a device's memory, that a training may take. Assumption."""
SIZES = tuple(1 << power for power in range(9, 17))
"""Of micro-batches."""
MOST = SIZES[-1]
"""On a GPU. On a processor, which is busy with few tokens, the default. Assumption."""


def training_memory(config: RunConfig) -> dict[str, StageMemory]:
    """By the name of the stage. The preference model is as large as the base model that it is made from."""
    return _memory(config, _base(config))


def _base(config: RunConfig) -> Looked:
    path, code = Actors(config=config).path("base"), config.models.trust_remote_code
    return look_at(path, trust_remote_code=code, dialogue=None)


def _memory(config: RunConfig, looked: Looked) -> dict[str, StageMemory]:
    device = resolve_device(config.models.device)
    dtype = resolve_dtype(config.models.dtype, device)
    size, whole = ModelSize.of(looked.outline), reading(config, looked, dtype, device)

    def read(section: OptimizerSection) -> tuple[ModelSize, Reading, Learning]:
        return size, replace(whole, micro_batch_tokens=section.tokens_at_once), Learning.by(section)

    value_model, copied = algorithm_of(config.rl.algorithm).VALUE_MODEL, looked.summary.decoder == "lean"
    beside = Learning.by(config.preference) if shares_weights(config) else None
    rl = rl_memory(*read(config.rl), value_model=value_model, copied=copied, beside=beside)
    of = {
        "sl": finetuning_memory(*read(config.sft)),
        "pm": preference_memory(*read(config.preference)),
        "rl": _answering(rl.model_copy(update={"held": _rewarding(rl.held, config)}), config, device),
        "dpo": finetuning_memory(*read(config.dpo)),
    }
    return {stage.name: of[stage.name] for stage in stages_of(config) if stage.trains}


def with_budgets(config: RunConfig, *, processes: int = 1) -> tuple[RunConfig, list[str]]:
    """A run file with a number in the place of each "auto" of `micro_batch_tokens`, and what is to be told of it.

    The number is the largest power of 2 with which the stage takes no more than `SHARE` of the device's memory, all of
    it, not what is free: the same machine gives the same number after a kill. Processes on a processor share it.
    """
    device, looked, said = resolve_device(config.models.device), None, []
    for stage in (one.name for one in stages_of(config) if one.trains):
        name = SECTIONS[stage]
        section: OptimizerSection = getattr(config, name)
        if section.micro_batch_tokens != "auto":
            continue
        looked = looked or _base(config)
        room = SHARE * Machine.here(device).device_memory / (processes if device.type == "cpu" else 1)
        least, most = max(config.token_limits().values()), TOKENS_AT_ONCE if device.type == "cpu" else MOST
        sizes = [size for size in SIZES if least <= size <= most] or [least]
        tried = [_with(config, name, size) for size in sizes]
        fitting = [one for one in tried if _memory(one, looked)[stage].total <= room]
        config = (fitting or tried[:1])[-1]
        chosen: OptimizerSection = getattr(config, name)
        of = f"{room / SHARE / (1 << 30):.1f} GiB"
        said.append(f"{name}.micro_batch_tokens is {chosen.tokens_at_once}, by what {of} of memory hold")
    return config, said


def _with(config: RunConfig, name: str, tokens: int) -> RunConfig:
    section: OptimizerSection = getattr(config, name)
    return config.model_copy(update={name: section.model_copy(update={"micro_batch_tokens": tokens})})


def _answering(rl: StageMemory, config: RunConfig, device: torch.device) -> StageMemory:
    """With vLLM's share of the device, if it answers, in the place of what the local engine takes while it does."""
    share = config.rl.beside.gpu_memory_utilization
    if config.rl.sampler != "vllm" or share is None:
        return rl
    held = rl.held | {"vLLM": int(share * Machine.here(device).device_memory)}
    return StageMemory(held=held, phases={name: size for name, size in rl.phases.items() if name != "writing"})


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
