"""What pretraining reads: random sequences that repeat themselves, and the corpus, as batches of token ids.

Shapes: B sequences, T tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from solon.embedded.corpus import CORPUS, Course, Document, documents
from solon.embedded.recipe import PretrainConfig
from solon.seeds import generator
from solon.train.batches import by_length


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Token ids, and the weight of every token as a target; padding weighs nothing."""

    ids_BT: Tensor
    tied_BT: Tensor
    """Where another token is as good a target as `ids_BT`'s, that one; elsewhere the same."""
    weight_BT: Tensor

    @property
    def weight(self) -> float:
        """Of all targets, summed in the order in which the loss is: another one rounds otherwise."""
        return float(self.weight_BT[:, 1:].flatten().sum())


def copy_batches(config: PretrainConfig, vocabulary: int, chunk: int) -> list[Batch]:
    """Random tokens, then the same tokens again; only the repetition counts. A hundred batches are a chunk."""
    rng = generator(config.seed, "copy", chunk)
    return [_copy_batch(rng, config.copy_batch_tokens, vocabulary) for _ in range(100)]


def _copy_batch(rng: np.random.Generator, batch_tokens: int, vocabulary: int) -> Batch:
    length = int(rng.integers(4, 17))
    half = rng.integers(10, vocabulary, size=(max(1, batch_tokens // (2 * length)), length))
    ids_BT = torch.from_numpy(np.concatenate([half, half], axis=1))
    weight_BT = torch.zeros(ids_BT.shape)
    weight_BT[:, length + 1 :] = 1.0
    return Batch(ids_BT=ids_BT, tied_BT=ids_BT, weight_BT=weight_BT)


def corpus_batches(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, course: Course, chunk: int
) -> list[Batch]:
    """A chunk's documents by length, cut into batches of at most `batch_tokens` (or of one document), then shuffled."""
    docs = list(documents(config.seed, chunk * config.chunk_documents, config.chunk_documents, course))
    rows = list(_tokenized(docs, tokenizer))
    parts = by_length(range(len(rows)), [len(row) for row in rows], config.batch_tokens)
    batches = [_pad([rows[index] for index in part], tokenizer.pad_token_id or 0) for part in parts]
    order = generator(config.seed, "order", *([] if course is CORPUS else [course.name]), chunk)
    return [batches[int(i)] for i in order.permutation(len(batches))]


Row = list[tuple[int, int, float]]
"""Of every token its id, that of the token as good in its place (by default the same), and its weight."""


def _tokenized(docs: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> Iterator[Row]:
    segments = [segment for doc in docs for segment in doc]
    ids: Any = tokenizer([segment.text for segment in segments], add_special_tokens=False)["input_ids"]
    tied: Any = tokenizer([segment.tied or segment.text for segment in segments], add_special_tokens=False)["input_ids"]
    pieces = zip(ids, tied, strict=True)
    for doc in docs:
        yield [(one, other, segment.weight) for segment in doc for one, other in zip(*next(pieces), strict=True)]


def _pad(rows: Sequence[Row], pad: int) -> Batch:
    width = max(map(len, rows))
    filled = [row + [(pad, pad, 0.0)] * (width - len(row)) for row in rows]
    ids_BT, tied_BT, weight_BT = (torch.tensor([[token[i] for token in row] for row in filled]) for i in range(3))
    return Batch(ids_BT=ids_BT, tied_BT=tied_BT, weight_BT=weight_BT)
