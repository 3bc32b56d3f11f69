"""What a run would do with a model, told without loading its weights."""

from __future__ import annotations

from pathlib import Path

import torch

from solon.config.run import RunConfig
from solon.config.training import LoraSection
from solon.lm.check import Looked, ModelSummary, look_at
from solon.lm.memory import token_budget
from solon.lm.oddities import oddities, token_names
from solon.models.folder import weight_bytes
from solon.models.generation import alike, preference
from solon.models.machine import Machine
from solon.models.memory import (
    Learning,
    ModelSize,
    Reading,
    StageMemory,
    finetuning_memory,
    preference_memory,
    rl_memory,
    sampling_memory,
)
from solon.models.outline import stored_types
from solon.models.runtime import resolve_device, resolve_dtype
from solon.models.tokens import end_ids
from solon.prompting.chat_template import dialogue_format
from solon.records import Record, Turn

ROW_TOKENS = 2048
"""Tokens of a long row: few-shot examples, a dialogue and an answer. Assumption."""
_TURNS = (
    Turn(role="human", text="How do I prune a rose?"),
    Turn(role="assistant", text="Cut above a bud."),
    Turn(role="human", text="And a hedge?"),
)
_ANSWER = "Twice a year."


class ModelReport(Record):
    """What a run would do with a model, by the defaults of a run file."""

    summary: ModelSummary
    stored: dict[str, int]
    """Numbers of the weights by the type that the files keep them in."""
    computed: str
    """The type that this machine computes them in."""
    special: dict[str, str]
    """Special tokens by what they are for; of several end tokens, all."""
    stop: tuple[str, ...]
    """Texts that end an answer."""
    memory: dict[str, StageMemory]
    """What each kind of stage takes, also with adapters of the usual rank."""
    machine: Machine
    oddities: tuple[str, ...]
    example: str
    """A dialogue as the model reads it, with its answer."""


def describe_model(folder: Path, *, trust_remote_code: bool = False) -> ModelReport:
    """Raises `ModelError` if a run cannot use the model."""
    looked = look_at(folder, trust_remote_code=trust_remote_code)
    tokenizer, device = looked.tokenizer, resolve_device("auto")
    dtype, format, stored = resolve_dtype("auto", device), dialogue_format(tokenizer), stored_types(folder)
    computed, same = str(dtype).removeprefix("torch."), alike(preference(folder).sampling, "pairs")
    return ModelReport(
        summary=looked.summary,
        stored=stored,
        computed=computed,
        special=_special(looked),
        stop=format.stop,
        memory=stage_memory(looked, reading(RunConfig(), looked, dtype, device)),
        machine=Machine.here(device),
        oddities=(
            *_rounded(stored, computed),
            *oddities(looked.outline, tokenizer, format),
            *preference(folder).notes("model"),
            *filter(None, [same and str(same)]),
        ),
        example=format.prompt(_TURNS) + format.answer(_ANSWER),
    )


def reading(config: RunConfig, looked: Looked, dtype: torch.dtype, device: torch.device) -> Reading:
    """What a run reads at once of a model."""
    rows, trained = config.sampling.batch_size, (config.sft, config.preference, config.rl)
    wanted = rows * min(looked.summary.context, ROW_TOKENS)
    return Reading(
        dtype=dtype,
        rows=rows,
        tokens=min(wanted, token_budget(looked.outline.config, dtype, device)),
        micro_batch_tokens=max(section.tokens_at_once for section in trained),
        on_cpu=device.type == "cpu",
        file_bytes=weight_bytes(Path(looked.summary.path)),
    )


def stage_memory(looked: Looked, reading: Reading) -> dict[str, StageMemory]:
    """By the kind of stage."""
    size, copied = ModelSize.of(looked.outline), looked.summary.decoder == "lean"
    adapters = Learning(rank=LoraSection().rank)
    return {
        "sampling": sampling_memory(size, reading, copied=copied),
        "finetuning": finetuning_memory(size, reading),
        "finetuning (LoRA)": finetuning_memory(size, reading, adapters),
        "preference model": preference_memory(size, reading),
        "preference model (LoRA)": preference_memory(size, reading, adapters),
        "RL (GRPO)": rl_memory(size, reading, copied=copied),
        "RL (GRPO, LoRA)": rl_memory(size, reading, adapters),
        "RL (PPO)": rl_memory(size, reading, value_model=True, copied=copied),
        "RL (PPO, LoRA)": rl_memory(size, reading, adapters, value_model=True),
    }


def _special(looked: Looked) -> dict[str, str]:
    tokenizer, ends = looked.tokenizer, end_ids(looked.outline, looked.tokenizer)
    named = {name: getattr(tokenizer, f"{name}_token") for name in ("bos", "eos", "pad", "unk")}
    special = {name: repr(str(token)) for name, token in named.items() if token}
    return special | ({"ends": token_names(tokenizer, sorted(ends))} if len(ends) > 1 else {})


def _rounded(stored: dict[str, int], computed: str) -> list[str]:
    others = [name for name in stored if name != computed]
    return [f"the files keep {', '.join(others)}; this machine computes in {computed}"] if others else []
