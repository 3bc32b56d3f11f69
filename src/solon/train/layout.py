"""Rows as tensors: a pack of trees for models that read packs, padded rows for others.

Legend: B rows, T positions, N tokens that count, R rows that were given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from solon.train.forest import Forest
from solon.train.trees import Tokens, grow


@dataclass(frozen=True, kw_only=True)
class TokenBatch:
    """What a model reads at once. Places count over all of `input_ids_BT`, row by row."""

    input_ids_BT: Tensor
    """Of a pack, [1, T]."""
    attention_mask_BT: Tensor | None
    """True on real tokens; None for a pack, where all are."""
    forest: Forest | None
    """How a pack's tokens attend."""
    last_R: Tensor
    """Where each row ends."""
    before_N: Tensor
    """Where a model stands when it predicts a token that counts, row by row."""
    target_ids_N: Tensor
    """The tokens that count."""
    weight_N: Tensor
    """How many rows count them."""


def collate(
    rows: Sequence[Tokens],
    masks: Sequence[Sequence[bool]] = (),
    *,
    device: torch.device,
    pad_id: int | None = None,
    merged: bool = False,
) -> TokenBatch:
    """Rows side by side.

    Args:
        masks: of each row, True on the tokens that count. The first is never predicted, so it never does.
        pad_id: fills short rows on the right; None: the rows are packed.
        merged: what several rows predict from one place is one token that counts, with their number as its weight.
    """
    if pad_id is None:
        forest = Forest(grow(rows), device)
        ids_BT, mask_BT, places = forest.ids_N[None], None, [forest.places[row] for row in range(len(rows))]
    else:
        forest = None
        ids_BT, mask_BT = pad_with_mask(rows, pad_id, device)
        places = [row * ids_BT.shape[1] + np.arange(len(ids)) for row, ids in enumerate(rows)]
    targets = _targets(rows, masks, places, merged=merged)
    before_N, target_N, weight_N = (torch.from_numpy(column).to(device) for column in targets)
    return TokenBatch(
        input_ids_BT=ids_BT,
        attention_mask_BT=mask_BT,
        forest=forest,
        last_R=torch.tensor([int(place[-1]) for place in places], device=device),
        before_N=before_N,
        target_ids_N=target_N,
        weight_N=weight_N.float(),
    )


def _targets(
    rows: Sequence[Tokens], masks: Sequence[Sequence[bool]], places: Sequence[np.ndarray], *, merged: bool
) -> np.ndarray:
    """[3, N]: the place before, the token, its weight."""
    found = [np.zeros((2, 0), dtype=np.int64)]
    for row, mask, place in zip(rows, masks, places, strict=bool(masks)):
        at = np.flatnonzero(mask[1:])
        found.append(np.stack([place[at], np.asarray(row)[at + 1]]))
    targets = np.concatenate(found, axis=1)
    weights = np.ones(targets.shape[1], dtype=np.int64)
    if merged:
        targets, weights = np.unique(targets, axis=1, return_counts=True)
    return np.concatenate([targets, weights[None]])


def pad(rows: Sequence[Sequence[int]], fill: int, device: torch.device) -> Tensor:
    """[B, T] of long, short rows filled on the right."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[fill] * (longest - len(row))] for row in rows], dtype=torch.long, device=device)


def pad_with_mask(rows: Sequence[Sequence[int]], pad_id: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """(ids, attention mask), both [B, T], padded on the right; the mask is True on real tokens."""
    return pad(rows, pad_id, device), pad([[1] * len(row) for row in rows], 0, device).bool()
