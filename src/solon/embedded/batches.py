"""What pretraining reads: the corpus as batches of token ids.

Shapes: B sequences, T tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from solon.embedded.corpus import Document, documents
from solon.embedded.recipe import Part, PretrainConfig
from solon.prompting.comparison import OPTIONS
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
        """Of all targets."""
        return float(self.weight_BT[:, 1:].sum())


def corpus_batches(
    config: PretrainConfig, tokenizer: PreTrainedTokenizerFast, chunk: int, part: Part = "world"
) -> list[Batch]:
    """A chunk's documents by length, cut into batches of at most `batch_tokens` (or of one document), then shuffled."""
    docs = list(documents(config.seed, chunk * config.chunk_documents, config.chunk_documents, part))
    rows = list(_tokenized(docs, tokenizer))
    parts = by_length(range(len(rows)), [len(row) for row in rows], config.batch_tokens)
    batches = [_pad([rows[index] for index in part], tokenizer.pad_token_id or 0) for part in parts]
    return [batches[int(i)] for i in generator(config.seed, "order", chunk).permutation(len(batches))]


Row = list[tuple[int, int, float]]
"""Of every token its id, that of the token as good in its place (by default the same), and its weight."""


def _tokenized(docs: Sequence[Document], tokenizer: PreTrainedTokenizerFast) -> Iterator[Row]:
    def ids_of(texts: Sequence[str]) -> Any:
        return tokenizer(texts, add_special_tokens=False)["input_ids"]

    option_ids = dict(zip(OPTIONS, ids_of(OPTIONS), strict=True))
    pieces = iter(ids_of([segment.text for doc in docs for segment in doc]))
    for doc in docs:
        row: Row = []
        for segment in doc:
            ids = next(pieces)
            tied = option_ids[segment.tied] if segment.tied else ids
            row += [(one, other, segment.weight) for one, other in zip(ids, tied, strict=True)]
        yield row


def _pad(rows: Sequence[Row], pad: int) -> Batch:
    width = max(map(len, rows))
    filled = [row + [(pad, pad, 0.0)] * (width - len(row)) for row in rows]
    ids_BT, tied_BT, weight_BT = (torch.tensor([[token[i] for token in row] for row in filled]) for i in range(3))
    return Batch(ids_BT=ids_BT, tied_BT=tied_BT, weight_BT=weight_BT)
