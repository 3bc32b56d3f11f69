"""From texts to padded tensors: tokenizing, length-sorted micro-batches, a reproducible order of examples.

Legend: B rows, T positions, N tokens that count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from solon.models.tokens import encode_continuation, encode_prompt
from solon.seeds import generator


@dataclass(frozen=True, kw_only=True)
class TokenExample:
    """One sequence and which of its tokens the loss counts. The first token is never predicted, so it never counts."""

    id: str
    input_ids: tuple[int, ...]
    loss_mask: tuple[bool, ...]
    """True: the prediction of this token counts."""

    def __post_init__(self) -> None:
        if len(self.input_ids) != len(self.loss_mask):
            raise ValueError(f"{self.id}: {len(self.input_ids)} tokens but {len(self.loss_mask)} mask entries")

    @classmethod
    def answered(cls, example_id: str, prompt_ids: Sequence[int], answer_ids: Sequence[int]) -> TokenExample:
        """A prompt and its answer; the loss counts the answer."""
        mask = (False,) * len(prompt_ids) + (True,) * len(answer_ids)
        return cls(id=example_id, input_ids=(*prompt_ids, *answer_ids), loss_mask=mask)

    def __len__(self) -> int:
        return len(self.input_ids)


def answer_example(tokenizer: PreTrainedTokenizerBase, example_id: str, prompt: str, answer: str) -> TokenExample:
    """A prompt and its answer as a `DialogueFormat` writes them; the loss counts the answer, its end mark included."""
    answer_ids = encode_continuation(tokenizer, prompt, answer)
    return TokenExample.answered(example_id, encode_prompt(tokenizer, prompt), answer_ids)


Example = TypeVar("Example", bound=Sized)
"""Anything whose length is in tokens."""


def fit(examples: Iterable[Example], max_tokens: int) -> tuple[list[Example], Counter[str]]:
    """Examples that fit the model's context, and how many were dropped by reason. Nothing is ever cut short."""
    given = list(examples)
    kept = [example for example in given if len(example) <= max_tokens]
    return kept, +Counter({"longer than the model's context": len(given) - len(kept)})


def epoch_order(count: int, run_seed: int, *names: str | int) -> list[int]:
    """A permutation of range(count), the same on every machine for the same names."""
    return [int(index) for index in generator(run_seed, *names).permutation(count)]


def cut(indices: Sequence[int], size: int) -> list[list[int]]:
    """Consecutive batches of `size`; the last may be smaller."""
    return [list(indices[start : start + size]) for start in range(0, len(indices), size)]


def micro_batches(indices: Sequence[int], lengths: Sequence[int], limit: int) -> list[list[int]]:
    """`indices` sorted by length and cut so that rows times longest row stays within `limit` padded tokens.

    A row longer than the limit gets a micro-batch of its own. `lengths` is indexed by the members of `indices`.

    Example: lengths (5, 1, 2, 2), limit 6: rows 1, 2, 3 padded to 2 take 6 tokens, row 0 takes 5: [[1, 2, 3], [0]].
    """
    batches: list[list[int]] = []
    for index in sorted(indices, key=lambda index: (lengths[index], index)):
        if batches and (len(batches[-1]) + 1) * lengths[index] <= limit:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


@dataclass(frozen=True, kw_only=True)
class TokenBatch:
    """Rows of tokens padded to one length. Masks are True on real tokens and on tokens that count."""

    input_ids_BT: Tensor
    attention_mask_BT: Tensor
    loss_mask_BT: Tensor

    @property
    def target_mask_BT(self) -> Tensor:
        """[B, T-1]: True where the *next* token counts; its number of True entries is N."""
        return self.loss_mask_BT[:, 1:]

    @property
    def before_mask_BT(self) -> Tensor:
        """True where a model stands when it predicts a token that counts: one position before it."""
        before_BT = torch.zeros_like(self.loss_mask_BT)
        before_BT[:, :-1] = self.target_mask_BT
        return before_BT

    @property
    def target_ids_N(self) -> Tensor:
        """The tokens that count, row by row."""
        return self.input_ids_BT[:, 1:][self.target_mask_BT]


def pad(rows: Sequence[Sequence[int]], fill: int, device: torch.device) -> Tensor:
    """[B, T] of long, short rows filled on the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], dtype=torch.long, device=device)


def pad_with_mask(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(ids, attention mask), both [B, T], padded on the right; the mask is True on real tokens."""
    return pad(rows, pad_id, device), pad([[1] * len(row) for row in rows], 0, device).bool()


def collate(examples: Sequence[TokenExample], pad_id: int, device: torch.device) -> TokenBatch:
    """Examples side by side, padded on the right."""
    ids_BT, attention_BT = pad_with_mask([example.input_ids for example in examples], pad_id, device)
    loss_mask_BT = pad([example.loss_mask for example in examples], 0, device).bool()
    return TokenBatch(input_ids_BT=ids_BT, attention_mask_BT=attention_BT, loss_mask_BT=loss_mask_BT)
