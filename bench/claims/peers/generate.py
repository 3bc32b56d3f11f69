"""transformers' `generate` in batches sorted by length, and its continuous batching."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig

from measuring.turns import seconds, tell
from peers.batch import BatchPeer
from solon.models.load import LoadedModel
from solon.prompting.chat_template import DialogueFormat

SIZES = (8, 16, 32, 64)
"""Of batches for `generate`, of which the fastest counts."""
PAGE = 64
"""Tokens in a page of the continuous cache."""


class Generate(BatchPeer):
    """`generate`, so many rows at a time."""

    def __init__(self, loaded: LoadedModel, format: DialogueFormat, batch_size: int):
        super().__init__(loaded.tokenizer, format)
        self.model: Any = loaded.model
        self.batch_size = batch_size
        self.note = f", batches of {batch_size}"

    @torch.no_grad()
    def write(self, prompts: Sequence[list[int]], new_tokens: int) -> Sequence[list[int]]:
        order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
        written: list[list[int]] = [[]] * len(prompts)
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            for row, ids in zip(rows, self._batch([prompts[row] for row in rows], new_tokens), strict=True):
                written[row] = ids
        return written

    def _batch(self, prompts: Sequence[list[int]], new_tokens: int) -> list[list[int]]:
        ids, mask = left_padded(prompts)
        sizes = {"max_new_tokens": new_tokens, "min_new_tokens": new_tokens}
        out = self.model.generate(ids, attention_mask=mask, do_sample=True, top_k=0, pad_token_id=0, **sizes)
        return [row[ids.shape[1] :].tolist() for row in out]


class ContinuousBatching(BatchPeer):
    """`generate_batch`: transformers' own scheduler and paged cache."""

    def __init__(self, loaded: LoadedModel, format: DialogueFormat):
        super().__init__(loaded.tokenizer, format)
        self.model: Any = loaded.model

    @torch.no_grad()
    def write(self, prompts: Sequence[list[int]], new_tokens: int) -> Sequence[list[int]]:
        settings: Any = GenerationConfig(do_sample=True, top_k=0, eos_token_id=-1, pad_token_id=0)
        pages = sum(-(-(len(prompt) + new_tokens) // PAGE) for prompt in prompts)  # by itself it takes all memory
        out = self.model.generate_batch(
            inputs=list(prompts),
            generation_config=settings,
            continuous_batching_config=ContinuousBatchingConfig(page_size=PAGE, num_blocks=pages),
            max_new_tokens=new_tokens,
        )
        found = {name: list(one.generated_tokens) for name, one in out.items()}
        return [found[name] for name in sorted(found, key=lambda name: int(name.rpartition("_")[2]))]


def left_padded(prompts: Sequence[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[0] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    return ids, mask


AtSize = TypeVar("AtSize")


def at_best_size(make: Callable[[int], AtSize], work: Callable[[AtSize], object], most: int) -> AtSize:
    """A peer at the batch size at which it does `work` fastest, up to a batch of `most` rows."""
    sizes = [size for size in SIZES if size <= max(most, SIZES[0])]
    times = {size: seconds(partial(work, make(size))) for size in sizes}
    tell("generate by batch size: " + ", ".join(f"{size}: {time:.1f} s" for size, time in times.items()))
    return make(min(sizes, key=times.__getitem__))
