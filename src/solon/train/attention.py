"""Attention of packed trees, written out: for a processor, and wherever `train.flex` does not serve.

Pieces, trunks and branches, stand side by side in a few parts; each has for columns what its rows begin with, up to its
end. So a token's column is its position, and it sees those up to its own.

    N tokens of a pack   B pieces of a part   T tokens of the longest   C columns, trunk included
    K key-value heads   h query heads of each   H = K * h   E head width
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from solon.lm.attention import Attention, softmax
from solon.train.selection import Selection, copies, sums
from solon.train.trees import Piece

PADDING = 100_000
"""Scores of a head that a part may have for nothing: another part takes as much time. Measured, see docs/log.md."""
SHORT_ROWS = 300
"""Up to this length attention written out as two matrix products beats the fused CPU kernel when gradients are needed:
measured, width 192, 6 layers, bf16, two cores, 23k against 14k tokens/s at T = 80 and 17k against 13k at T = 300."""


class Masks:
    """Part by part, by masks."""

    def __init__(self, parts: Sequence[Sequence[Piece]], place: Mapping[Piece, np.ndarray], device: torch.device):
        """`place`: where in the pack each piece's tokens are."""
        tokens = sum(map(len, place.values()))
        self._parts = [_Part.of(part, device) for part in parts]
        self._queries = _Slots([_table([place[piece] for piece in part]) for part in parts], tokens, device)
        columns = [[np.concatenate([place[one] for one in piece.path]) for piece in part] for part in parts]
        self._columns = _Slots([_table(part) for part in columns], tokens, device)

    def attend(self, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]. Queries are scaled."""
        heads = key_NKE.shape[1]
        query = self._queries.spread(query_NHE, heads)
        key, value = (self._columns.spread(one, heads) for one in (key_NKE, value_NKE))
        parts = zip(query, key, value, self._parts, strict=True)
        return self._queries.gather([_mix(q, k, v, part.bias(how.window), how) for q, k, v, part in parts])


def alike(pieces: Iterable[Piece]) -> Iterator[list[Piece]]:
    """Parts: trunks by themselves, since the fused kernel need not be told what they see; pieces of like ends, as far
    as that saves more than it costs to have one part more."""
    part: list[Piece] = []
    longest = needed = 0
    for piece in sorted(pieces, key=lambda piece: (piece.begin > 0, piece.end), reverse=True):
        longest, needed = max(longest, len(piece.tokens)), needed + len(piece.tokens) * piece.end
        is_branch = piece.begin > 0
        if part and ((part[0].begin > 0) != is_branch or (len(part) + 1) * longest * part[0].end > needed + PADDING):
            yield part
            part, longest, needed = [], len(piece.tokens), len(piece.tokens) * piece.end
        part.append(piece)
    yield part


def _table(places: Sequence[np.ndarray]) -> np.ndarray:
    """[B, longest], -1 behind the shorter ones."""
    table = np.full((len(places), max(map(len, places))), -1)
    for row, place in zip(table, places, strict=True):
        row[: len(place)] = place
    return table


class _Slots:
    """Where each part's tokens, padded, are in the pack."""

    def __init__(self, tables: Sequence[np.ndarray], tokens: int, device: torch.device):
        """`tables`: of each part, [B, T] places in the pack; -1: none."""
        self._tables, self._tokens, self._device = tables, tokens, device
        self._selections: dict[tuple[int, int], Selection] = {}

    def spread(self, packed_NHE: Tensor, heads: int) -> list[Tensor]:
        """Of each part [B, K, h, T, E]; 0 in empty slots."""
        _, of, width = packed_NHE.shape
        rows = copies(packed_NHE.reshape(-1, width), self._selection(heads, of // heads))
        parts = rows.split([table.size * of for table in self._tables])
        shapes = [(len(table), heads, of // heads, table.shape[1], width) for table in self._tables]
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]

    def gather(self, parts: Sequence[Tensor]) -> Tensor:
        """The other way round: [N, K * h, E] of what the slots hold."""
        _, heads, each, _, width = parts[0].shape
        flat = [part.reshape(-1, width) for part in parts]
        rows = sums(flat[0] if len(flat) == 1 else torch.cat(flat), self._selection(heads, each))
        return rows.view(self._tokens, heads * each, width)

    def _selection(self, heads: int, each: int) -> Selection:
        """Of rows of [N, H] those in slots of [B, K, h, T], part by part."""
        if (heads, each) not in self._selections:
            head_Kh1 = np.arange(heads * each).reshape(heads, each, 1)
            rows = [
                np.where(table < 0, -1, table * heads * each + head_Kh1).ravel()
                for table in (table[:, None, None] for table in self._tables)
            ]
            row_S = torch.from_numpy(np.concatenate(rows)).to(self._device)
            self._selections[heads, each] = Selection(row_S, self._tokens * heads * each)
        return self._selections[heads, each]


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Pieces that attend side by side."""

    position_BT: Tensor
    columns: int
    _bias: dict[int | None, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: Sequence[Piece], device: torch.device) -> _Part:
        begin_B = torch.tensor([piece.begin for piece in pieces], device=device)
        longest, columns = max(len(piece.tokens) for piece in pieces), max(piece.end for piece in pieces)
        # An empty slot stands behind its piece, but not behind all columns: it would see none in a window.
        position_BT = (begin_B[:, None] + torch.arange(longest, device=device)).clamp(max=columns - 1)
        return cls(position_BT=position_BT, columns=columns)

    def bias(self, window: int | None) -> Tensor:
        """[B, 1, 1, T, C], float32: 0 where a token sees a column, minus infinity elsewhere. Every token sees one."""
        if window not in self._bias:
            ahead = torch.arange(self.columns, device=self.position_BT.device) - self.position_BT[..., None]
            hidden = (ahead > 0) if window is None else (ahead > 0) | (ahead <= -window)
            bias = torch.zeros(hidden.shape, device=hidden.device).masked_fill_(hidden, -torch.inf)
            self._bias[window] = bias[:, None, None]
        return self._bias[window]


def _mix(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, how: Attention) -> Tensor:
    """Attention of [B, K, h, T, E] over columns [B, K, 1, C, E]."""
    long = bias.shape[-1] > SHORT_ROWS or query.device.type != "cpu"
    if long and how.softcap is None and how.sinks_H is None:
        return _fused(query, key, value, bias, how)
    rows, heads, each, tokens, width = query.shape
    scores = torch.bmm(query.view(rows * heads, -1, width), key.view(rows * heads, -1, width).mT)
    scores = scores.view(rows, heads, each, tokens, -1)
    if how.softcap is None and how.sinks_H is None:
        share = _share(scores, bias)
    else:
        share = softmax(scores, bias.to(scores.dtype), how, by_head=(1, heads, each, 1, 1))
    mixed = torch.bmm(share.view(rows * heads, each * tokens, -1), value.view(rows * heads, -1, value.shape[-1]))
    return mixed.view(rows, heads, each, tokens, -1)


class _Share(torch.autograd.Function):
    """The share of each column, by a softmax in float32: more exact than in bfloat16, and on a processor it takes half
    the time (measured)."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, bias: Tensor) -> Tensor:
        share = scores.float().add(bias).softmax(dim=-1).to(scores.dtype)
        ctx.save_for_backward(share)
        return share

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (share,) = ctx.saved_tensors
        return torch.ops.aten._softmax_backward_data(grad, share, -1, share.dtype), None


_share: Callable[[Tensor, Tensor], Tensor] = _Share.apply


def _fused(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, how: Attention) -> Tensor:
    """`_mix` by torch's own kernel, which never holds the scores."""
    rows, heads, each, tokens, _ = query.shape
    causal = key.shape[-2] == tokens and how.window is None
    mixed = F.scaled_dot_product_attention(
        query.flatten(1, 2),
        key.flatten(1, 2),
        value.flatten(1, 2),
        None if causal else bias[:, 0].to(query.dtype).expand(rows, -1, -1, -1),
        is_causal=causal,
        scale=1.0,
        enable_gqa=each > 1,
    )
    return mixed.view(rows, heads, each, tokens, -1)
