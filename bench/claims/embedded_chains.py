"""The embedded model criticises and revises behind five worked examples: chains per second beside other engines.

Every side does the same chains through the same code (`measuring/chains.py`), at temperature 1, with texts of one
length: the model has no end token. `generate` gets batches sorted by length, of the size at which it is fastest.

    python bench/claims/embedded_chains.py [--quick] [--rows PROMPTS]
"""

from __future__ import annotations

from collections.abc import Iterator

from measuring.chains import Chains
from measuring.result import Result, at_least
from measuring.script import Options, run
from peers.rivals import GENERATE, VLLM, against_all
from solon.constitution.few_shots import load_few_shots
from solon.models.where import embedded_model
from solon.world.prompts import world_prompts


def measure(options: Options) -> Iterator[Result]:
    chains = Chains(
        prompts=world_prompts("harmful", options.size(512, 4), split="training", seed=0),
        constitution="world",
        rounds=1,
        new_tokens=4 if options.quick else 24,
        shots=load_few_shots("harmlessness").critique,
    )
    asked = {GENERATE: at_least(5), VLLM: at_least(2)}
    yield from against_all("embedded model, critique and revision", chains, embedded_model(), options, asked)


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
