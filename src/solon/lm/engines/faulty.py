"""The faulty engine: another model that goes wrong in every way that one can. It drives tests and rehearsals.

Which requests go wrong follows from the requests alone, so a run that meets faults ends with the same bytes each time.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from solon.errors import EngineUnavailableError, GarbledError, RefusedError, TimedOutError
from solon.lm.engines import ModelSpec
from solon.lm.engines import open_engine as open_other
from solon.lm.protocols import Capabilities, Completion, LanguageModel, OptionScores, Sampling
from solon.prompting.context import Context

Mishap = Literal[
    "timeout",  # no reply in time
    "refusal",  # by the provider, not by the model
    "garbled",  # a reply that is none
    "garbage",  # a text of control characters, half tags and the marks of formats
    "empty",  # an empty text
    "truncated",  # the token limit comes at once
    "no numbers",  # log-probabilities that are NaN
    "no logprobs",  # none at all
    "late",  # a good reply, after those of others
    "down",  # the whole engine is gone
]
GARBAGE = "\x1b[31m\x00<|im_end|>{a}\n\nHuman: (A) </s>\u202e \ufffd\n\nAssistant:"
_ERRORS = {
    "timeout": (TimedOutError, "no reply within 60 s"),
    "refusal": (RefusedError, "the provider's filter stopped the reply"),
    "garbled": (GarbledError, "expected JSON, got '<html>'"),
    "down": (EngineUnavailableError, "the model's server does not answer (start it, then `solon resume`)"),
}


def open_engine(spec: ModelSpec) -> FaultyModel:
    """The local engine, which fails at one request in twenty."""
    return FaultyModel(open_other("local", spec), "timeout", "refusal", "garbled", "garbage", "empty", "late", every=20)


class FaultyModel:
    """Another model, of whose requests about one in `every` meets one of the mishaps."""

    def __init__(self, model: LanguageModel, *mishaps: Mishap, every: int = 1):
        self._model, self._mishaps, self._every = model, mishaps, every

    @property
    def identity(self) -> str:
        return f"faulty:{self._model.identity}"

    @property
    def can(self) -> Capabilities:
        return self._model.can

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        mishap = await self._meet(context, seed)
        completion = await self._model.complete(context, sampling, seed=seed)
        if mishap in ("empty", "garbage"):
            return replace(completion, text=GARBAGE if mishap == "garbage" else "")
        return replace(completion, text="", ended="length") if mishap == "truncated" else completion

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        mishap = await self._meet(context, 0)
        if mishap == "no logprobs":
            return OptionScores(logprobs=())
        scores = await self._model.score(context, options)
        return OptionScores(logprobs=(math.nan,) * len(options)) if mishap == "no numbers" else scores

    async def _meet(self, context: Context, seed: int) -> Mishap | None:
        """The mishap of a request, None for most; raises those that leave no reply."""
        number = int.from_bytes(hashlib.blake2b(repr((context, seed)).encode(), digest_size=8).digest(), "big")
        if not self._mishaps or number % self._every:
            return None
        mishap = self._mishaps[number // self._every % len(self._mishaps)]
        if mishap in _ERRORS:
            error, what = _ERRORS[mishap]
            raise error(what)
        for _ in range(number % 97 if mishap == "late" else 0):
            await asyncio.sleep(0)
        return mishap
