"""Training SmolLM2 takes the memory that `solon plan` prints, within 15%: all weights, and adapters.

Peak: the largest process of a whole run, in which every stage is done. Beside it the most that the arithmetic of
`solon.models.memory` gives for one of its trainings, in this machine's arithmetic. Doses are small; memory does not
depend on them.

    python bench/claims/peak_memory.py [--quick] [--model FOLDER]
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from measuring.commands import MEGABYTE, solon
from measuring.result import Result, within
from measuring.script import Options, result, run
from solon.config.load import load_run_config
from solon.pipeline.memory import training_memory

MICRO_BATCH = 2048
"""Tokens; the run's own setting."""
TRAININGS = ("sft", "preference", "rl")
SETTINGS = (
    *("prompts.harmful=16", "prompts.mixed=0", "prompts.benign=16", "prompts.evaluation=8"),
    *("supervised.rounds=1", "sampling.max_new_tokens=48", "sampling.batch_size=16"),
    *("sft.batch_size=16", "preference.batch_size=16", "rl.steps=2", "rl.prompts_per_step=4"),
    *("rl.samples_per_prompt=4", "rl.batch_size=16"),
    *(f"{section}.micro_batch_tokens={MICRO_BATCH}" for section in TRAININGS),
    # What is measured is memory: at temperature 1 this model's texts are noise, and few of them end.
    *(f"quality.max_{share}=1" for share in ("noise", "unfinished", "echoes", "unchanged")),
)
CASES = {
    "all weights": (),
    "adapters of rank 16, layers computed again": (
        *(f"{section}.lora.rank=16" for section in TRAININGS),
        *(f"{section}.gradient_checkpointing=true" for section in TRAININGS),
    ),
}


def planned_bytes(folder: Path, settings: tuple[str, ...]) -> int:
    """Of the training that takes most."""
    config = load_run_config("world", settings, {"models.assistant": folder})
    return max(memory.total for memory in training_memory(config).values())


def measure(options: Options) -> Iterator[Result]:
    folder = options.smollm2()
    least = ("rl.steps=1", "sampling.max_new_tokens=4") if options.quick else ()
    for case, own in CASES.items():
        settings = (*SETTINGS, *own, *least)
        with tempfile.TemporaryDirectory() as work:
            arguments = ["run", "--model", str(folder), "-o", f"{work}/run", "--no-reuse", "--quiet"]
            peak = solon(arguments, settings).peak_bytes
        yield result(
            f"peak memory of a whole run, SmolLM2, {case}",
            setting=f"micro-batches of {MICRO_BATCH} tokens",
            peer="the arithmetic that `solon plan` prints",
            peer_figure=planned_bytes(folder, settings) / MEGABYTE,
            solon_figure=peak / MEGABYTE,
            unit="MB",
            asked=within(0.15),
        )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
