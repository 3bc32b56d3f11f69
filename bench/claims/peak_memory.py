"""A whole run of SmolLM2 takes at most 1.3 times the memory of weights, gradients, moments and the budget of tokens.

As `solon.models.memory` counts them for RL, which holds most: the policy's weights, gradients and two moments,
reference and preference model, and for the tokens of a micro-batch what the backward pass reads and their logits.
Peak: the largest process of the run. Doses are small; memory does not depend on them.

    python bench/claims/peak_memory.py [--quick] [--model FOLDER]
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from measuring.commands import MEGABYTE, solon
from measuring.result import Result, at_most
from measuring.script import Options, result, run
from solon.models.memory import ModelSize, Reading, rl_memory
from solon.models.outline import load_outline
from solon.models.runtime import resolve_dtype

MICRO_BATCH = 2048
"""Tokens; the run's own setting."""
SETTINGS = (
    *("prompts.harmful=16", "prompts.mixed=0", "prompts.benign=16", "prompts.evaluation=8"),
    *("supervised.rounds=1", "sampling.max_new_tokens=48", "sampling.batch_size=16"),
    *("sft.batch_size=16", "preference.batch_size=16", "rl.steps=2", "rl.prompts_per_step=4"),
    *("rl.samples_per_prompt=4", "rl.batch_size=16"),
    *(f"{section}.micro_batch_tokens={MICRO_BATCH}" for section in ("sft", "preference", "rl")),
    # What is measured is memory: at temperature 1 this model's texts are noise, and few of them end.
    *(f"quality.max_{share}=1" for share in ("noise", "unfinished", "echoes", "unchanged")),
)


def allowed_bytes(folder: Path) -> int:
    """Of RL, while the policy takes a step."""
    size = ModelSize.of(load_outline(folder))
    dtype = resolve_dtype("auto", torch.device("cpu"))
    memory = rl_memory(size, Reading(dtype=dtype, rows=16, tokens=0, micro_batch_tokens=MICRO_BATCH))
    return sum(memory.held.values()) + memory.phases["step"]


def measure(options: Options) -> Iterator[Result]:
    folder = options.smollm2()
    settings = [*SETTINGS, "rl.steps=1", "sampling.max_new_tokens=4"] if options.quick else SETTINGS
    with tempfile.TemporaryDirectory() as work:
        arguments = ["run", "--model", str(folder), "-o", f"{work}/run", "--no-reuse", "--quiet"]
        peak = solon(arguments, settings).peak_bytes
    yield result(
        "peak memory of a whole run, SmolLM2",
        setting=f"float32 training, micro-batches of {MICRO_BATCH} tokens",
        peer="weights, gradients, moments and the budget of tokens",
        peer_figure=allowed_bytes(folder) / MEGABYTE,
        solon_figure=peak / MEGABYTE,
        unit="MB",
        asked=at_most(1.3),
    )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
