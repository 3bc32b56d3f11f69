"""The tokens of SmolLM2's chains that must be computed once, against this machine's rate of matrix products.

Of all that the model reads and writes in the chains, common beginnings count once, across rows and along a chain. Each
such token costs the model's products: tokens that are read cost what they do 512 side by side, tokens that are written
what they do, with the output head, as many side by side as there are rows. Both are measured in turns with the chains,
with weights of the model's shapes in the same dtype. The ratio is the share of the time that the products alone take.

    python bench/claims/computed_once.py [--quick] [--rows PROMPTS] [--model FOLDER]
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from measuring.chains import Chains
from measuring.models import endless, endless_format, solon_engine, threads
from measuring.products import Products, distinct_tokens
from measuring.prompts import hh_rlhf
from measuring.result import Result, at_least
from measuring.script import Options, result, run
from measuring.turns import median_seconds
from solon.lm.protocols import Completion, LanguageModel, OptionScores, Sampling
from solon.models.runtime import resolve_dtype
from solon.prompting.asking import critique_format
from solon.prompting.context import Context

SIDE_BY_SIDE = 512


class Listening:
    """A `LanguageModel` that remembers what another read and wrote."""

    def __init__(self, model: LanguageModel):
        self._model, self.identity, self.can = model, model.identity, model.can
        self.heard: list[Completion] = []

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        self.heard.append(await self._model.complete(context, sampling, seed=seed))
        return self.heard[-1]

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        return await self._model.score(context, options)


def measure(options: Options) -> Iterator[Result]:
    prompts, _ = hh_rlhf(options.size(64, 2))
    new_tokens = 4 if options.quick else 64
    dtype = resolve_dtype("auto", torch.device("cpu"))
    with tempfile.TemporaryDirectory() as work:
        model, format = endless(options.smollm2(), Path(work) / "endless"), endless_format(options.smollm2())
        asked = critique_format(format, "auto")
        chains = Chains(prompts=prompts, constitution="harmlessness", rounds=2, new_tokens=new_tokens, asked=asked)
        engine = Listening(solon_engine(model, format, dtype=str(dtype).removeprefix("torch.")))
        written = chains.write(engine)
        every = distinct_tokens([(*one.prompt_ids, *one.answer_ids) for one in engine.heard])
        products = Products(model, dtype)
        reading, writing = products.body(SIDE_BY_SIDE), products.whole(len(prompts))
        times = median_seconds(
            {"chains": lambda: chains.write(engine), "reading": reading, "writing": writing}, options.repetitions
        )
    needed = (every - written) * times["reading"] / reading.tokens + written * times["writing"] / writing.tokens
    yield result(
        "SmolLM2, tokens that must be computed once",
        setting=f"{chains.setting}, {every - written} tokens to read, {dtype}, {threads()} threads",
        peer="matrix products alone",
        peer_figure=every / needed,
        solon_figure=every / times["chains"],
        unit="tokens/s",
        asked=at_least(0.6),
    )


if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
