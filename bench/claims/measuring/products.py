"""The matrix products that a model's tokens cost, alone, at this machine's rate; and which tokens must be computed.

T tokens   N outputs and K inputs of a weight
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from solon.train.batches import TokenExample

ENOUGH = 1e11
"""Operations after which a rate is known. Small products are repeated."""


def distinct_tokens(texts: Sequence[Sequence[int]]) -> int:
    """Tokens of the texts, common beginnings counted once. Example: (1, 2, 3) and (1, 2, 4, 3) have 5."""
    nodes: dict[tuple[int, int], int] = {}
    for text in texts:
        node = 0
        for token in text:
            node = nodes.setdefault((node, token), len(nodes) + 1)
    return len(nodes)


@dataclass(frozen=True, kw_only=True)
class Once:
    """What must be computed of rows that one and the same weights read: each common beginning once."""

    read: int
    """Tokens."""
    predicting: int
    """Tokens whose next one counts, so that the output head reads them."""

    @classmethod
    def of(cls, batches: Sequence[Sequence[TokenExample]]) -> Once:
        """Of batches that do not share weights. What counts of an example is all that follows its prompt."""
        read = predicting = 0
        for examples in batches:
            prompts = [one.input_ids[: one.loss_mask.index(True)] for one in examples]
            read += distinct_tokens([one.input_ids for one in examples])
            predicting += distinct_tokens([one.input_ids[:-1] for one in examples])
            predicting -= distinct_tokens([prompt[:-1] for prompt in prompts])
        return cls(read=read, predicting=predicting)


@dataclass(frozen=True, kw_only=True)
class Passes:
    """Products with some of a model's weights, as often as it takes to know how fast they are."""

    weights_NK: Sequence[Tensor]
    side_by_side: int
    """T."""
    backward: bool
    """Whether gradients of inputs and weights are multiplied too."""
    _tensors: dict[int, Tensor] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Of all passes."""
        operations = sum(2 * weight.numel() for weight in self.weights_NK) * (3 if self.backward else 1)
        return self.side_by_side * max(1, round(ENOUGH / (operations * self.side_by_side)))

    @torch.no_grad()
    def __call__(self) -> None:
        for _ in range(self.tokens // self.side_by_side):
            for weight_NK in self.weights_NK:
                outputs, inputs = weight_NK.shape
                input_TK = self._random(inputs, weight_NK.dtype)
                F.linear(input_TK, weight_NK)
                if self.backward:
                    gradient_TN = self._random(outputs, weight_NK.dtype)
                    torch.mm(gradient_TN, weight_NK)
                    torch.mm(gradient_TN.mT, input_TK)

    def _random(self, width: int, dtype: torch.dtype) -> Tensor:
        if width not in self._tensors:
            self._tensors[width] = torch.randn(self.side_by_side, width).to(dtype)
        return self._tensors[width]


class Products:
    """Random weights in the shapes of a model of the Llama family, what reads the same input in one."""

    def __init__(self, folder: Path, dtype: torch.dtype):
        from transformers import AutoConfig

        c: Any = AutoConfig.from_pretrained(folder)
        width, inner = c.hidden_size, c.intermediate_size
        head = getattr(c, "head_dim", None) or width // c.num_attention_heads
        mixed = c.num_attention_heads * head
        shapes = ((mixed + 2 * c.num_key_value_heads * head, width), (width, mixed), (2 * inner, width), (width, inner))
        self._body = [torch.randn(shape).to(dtype) for _ in range(c.num_hidden_layers) for shape in shapes]
        self._head = torch.randn(c.vocab_size, width).to(dtype)

    def body(self, side_by_side: int, *, backward: bool = False) -> Passes:
        return Passes(weights_NK=self._body, side_by_side=side_by_side, backward=backward)

    def head(self, side_by_side: int, *, backward: bool = False) -> Passes:
        return Passes(weights_NK=[self._head], side_by_side=side_by_side, backward=backward)

    def whole(self, side_by_side: int) -> Passes:
        """Body and head."""
        return Passes(weights_NK=[*self._body, self._head], side_by_side=side_by_side, backward=False)
