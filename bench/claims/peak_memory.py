"""A whole run of SmolLM2 takes at most 1.3 times the memory of weights, gradients, moments and the budget of tokens.

The run's training holds float32 weights and gradients and two moments. The budget is that of a training step's
micro-batch: for each of its tokens the logits with their gradient and exponentials, in float32, and for each layer what
its backward pass reads. Peak: the largest process of the run. Doses are small; memory does not depend on them.

    python bench/claims/peak_memory.py [--quick] [--model FOLDER]
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator

from measuring.commands import MEGABYTE, solon
from measuring.result import Result, at_most
from measuring.script import Options, result, run

MICRO_BATCH = 2048
"""Tokens; the run's own setting."""
LOGITS = 3
"""Float32 numbers for each token and entry of the vocabulary: logits, their gradient, and exponentials."""
SETTINGS = (
    *("prompts.harmful=16", "prompts.mixed=0", "prompts.benign=16", "prompts.evaluation=8"),
    *("supervised.rounds=1", "sampling.max_new_tokens=48", "sampling.batch_size=16"),
    *("sft.batch_size=16", "preference.batch_size=16", "rl.steps=2", "rl.prompts_per_step=4"),
    *("rl.samples_per_prompt=4", "rl.batch_size=16"),
    *(f"{section}.micro_batch_tokens={MICRO_BATCH}" for section in ("sft", "preference", "rl")),
)


def allowed_bytes(config: dict[str, int], weight_bytes: int) -> int:
    """Weights, gradients and moments, and the budget of tokens, in float32."""
    width, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    a_token = LOGITS * config["vocab_size"] + layers * (8 * width + 4 * inner)
    return 4 * weight_bytes + MICRO_BATCH * a_token * 4


def measure(options: Options) -> Iterator[Result]:
    folder = options.smollm2()
    config = json.loads((folder / "config.json").read_bytes())
    weights = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    settings = [*SETTINGS, "rl.steps=1", "sampling.max_new_tokens=4"] if options.quick else SETTINGS
    with tempfile.TemporaryDirectory() as work:
        arguments = ["run", "--model", str(folder), "-o", f"{work}/run", "--no-reuse", "--quiet"]
        peak = solon(arguments, settings).peak_bytes
    yield result(
        "peak memory of a whole run, SmolLM2",
        setting=f"float32 training, micro-batches of {MICRO_BATCH} tokens",
        peer="weights, gradients, moments and the budget of tokens",
        peer_figure=allowed_bytes(config, weights) / MEGABYTE,
        solon_figure=peak / MEGABYTE,
        unit="MB",
        asked=at_most(1.3),
    )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
