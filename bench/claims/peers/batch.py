"""A peer that takes a list of prompts: it gets all that wait at once."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from solon.lm.protocols import Capabilities, Completion, OptionScores, Sampling
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context

QUIET = 16
"""Passes of the event loop after the first request in which all other rows have asked, too."""


class BatchPeer(ABC):
    """`LanguageModel` of an engine that completes lists of prompts."""

    identity = "peer"
    can = Capabilities(logprobs="none", prefill=True, seed=False, context=None)

    def __init__(self, tokenizer: PreTrainedTokenizerBase, format: DialogueFormat):
        self.tokenizer, self.format = tokenizer, format
        self._waiting: list[tuple[list[int], asyncio.Future[str]]] = []
        self._worker: asyncio.Task[None] | None = None

    @abstractmethod
    def write(self, prompts: Sequence[list[int]], new_tokens: int) -> Sequence[list[int]]:
        """Exactly `new_tokens` ids behind each prompt, sampled at temperature 1."""

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        prompt, future = self.format.render(context), asyncio.get_running_loop().create_future()
        self._waiting.append((self.tokenizer.encode(prompt, add_special_tokens=False), future))
        if len(self._waiting) == 1:
            self._worker = asyncio.create_task(self._answer(sampling.max_new_tokens))
        return Completion(prompt=prompt, text=await future, tokens=sampling.max_new_tokens, ended="length")

    async def score(self, context: Context, options: Sequence[str]) -> OptionScores:
        raise NotImplementedError

    async def _answer(self, new_tokens: int) -> None:
        for _ in range(QUIET):
            await asyncio.sleep(0)
        waiting, self._waiting = self._waiting, []
        written = self.write([ids for ids, _ in waiting], new_tokens)
        for (_, future), ids in zip(waiting, written, strict=True):
            assert len(ids) == new_tokens, f"{len(ids)} tokens"
            future.set_result(self.tokenizer.decode(ids, skip_special_tokens=True).strip())
