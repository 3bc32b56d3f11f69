"""SmolLM2 answers red-team prompts, criticises and revises twice: chains per second beside other engines.

Every side does the same chains through the same code (`measuring/chains.py`), at temperature 1, with texts of one
length: the model has no end token. `generate` gets batches sorted by length, of the size at which it is fastest.

    python bench/claims/smollm2_chains.py [--quick] [--rows PROMPTS] [--model FOLDER]
"""

from __future__ import annotations

from collections.abc import Iterator

from measuring.chains import Chains
from measuring.prompts import hh_rlhf
from measuring.result import Result, at_least
from measuring.script import Options, run
from peers.rivals import GENERATE, against_all


def measure(options: Options) -> Iterator[Result]:
    chains = Chains(
        prompts=hh_rlhf(options.size(64, 2))[0],
        constitution="harmlessness",
        rounds=2,
        new_tokens=4 if options.quick else 64,
    )
    asked = {GENERATE: at_least(3)}
    yield from against_all("SmolLM2, answer and two rounds", chains, options.smollm2(), options, asked)


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
