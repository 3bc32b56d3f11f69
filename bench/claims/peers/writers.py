"""transformers' `generate` as people sample texts with it: in batches, each text to its own end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, Literal

import torch

from peers.gather import Gather
from peers.generate import left_padded
from peers.judges import BatchedGenerate
from solon.lm.protocols import Completion, Sampling
from solon.models.load import LoadedModel
from solon.models.tokens import encode_prompt
from solon.prompting.chat_template import DialogueFormat
from solon.prompting.context import Context

Ended = Literal["stop", "eos", "length"]


class Writer(BatchedGenerate):
    """`LanguageModel`: completes by `generate` in batches sorted by length, judges by one token of it."""

    def __init__(self, loaded: LoadedModel, format: DialogueFormat, batch_size: int):
        super().__init__(loaded, format, batch_size)
        self._write: Gather[tuple[list[int], int], list[int]] = Gather(self.write)

    async def complete(self, context: Context, sampling: Sampling, *, seed: int) -> Completion:
        """At temperature 1; the text ends before what the format never lets an answer say."""
        prompt, limit = self.format.render(context), sampling.max_new_tokens
        ids = await self._write.ask((encode_prompt(self.tokenizer, prompt), limit))
        text = str(self.tokenizer.decode(ids, skip_special_tokens=True))
        end = min((place for mark in self.format.stop if (place := text.find(mark)) >= 0), default=None)
        cut_off = len(ids) == limit and ids[-1] not in self._ends
        ended: Ended = "stop" if end is not None else "length" if cut_off else "eos"
        return Completion(prompt=prompt, text=text[:end].strip(), tokens=len(ids), ended=ended)

    @torch.no_grad()
    def write(self, asked: Sequence[tuple[list[int], int]]) -> Sequence[list[int]]:
        """The ids behind each prompt, at most so many, the end mark included."""
        order = sorted(range(len(asked)), key=lambda row: len(asked[row][0]))
        written: dict[int, list[int]] = {}
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            written |= dict(zip(rows, self._batch([asked[row] for row in rows]), strict=True))
        return [written[row] for row in range(len(asked))]

    def _batch(self, asked: Sequence[tuple[list[int], int]]) -> list[list[int]]:
        ids, mask = left_padded([prompt for prompt, _ in asked])
        limit, ends = asked[0][1], sorted(self._ends)
        how = {"do_sample": True, "top_k": 0, "eos_token_id": ends, "pad_token_id": 0}
        out = self.model.generate(ids, attention_mask=mask, max_new_tokens=limit, **how)
        return [self._up_to_the_end(row[ids.shape[1] :].tolist()) for row in out]

    def _up_to_the_end(self, ids: Sequence[int]) -> list[int]:
        said = list(takewhile(lambda token: token not in self._ends, ids))
        return list(ids[: len(said) + 1])

    @property
    def _ends(self) -> set[int]:
        own: Any = self.tokenizer.eos_token_id
        return {own}
