"""One pass over the new tokens of many sequences: packed one behind the other, without padding, but for attention.

What attends together is a group: rows of one block with like numbers of new tokens.

    N new tokens   G rows of a group   T new tokens of its longest   C columns   P tokens of its trunk
    H query heads   K key-value heads   E head width
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from solon.lm.cache import Block
from solon.lm.cache import Sequence as Tokens

LIKE = 0.7
"""A row with fewer new tokens than this share of the longest of a group is in another: padding is computed too."""
MAX_SCORES = 1 << 27
"""Attention scores of one group."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """The next `count` tokens of a sequence, and whether logits are wanted after its `last` final ones."""

    sequence: Tokens
    count: int
    last: int


@dataclass(frozen=True, kw_only=True)
class Attention:
    """How a layer attends. Queries are multiplied by `scale`."""

    scale: float = 1.0
    window: int | None = None
    """Tokens that a token sees, itself among them; None: all before it."""
    softcap: float | None = None
    sinks_H: Tensor | None = None
    """Scores of a place that is attended to and holds nothing."""


@dataclass(kw_only=True)
class _Group:
    block: Block
    rows: slice | Tensor
    """Of the block."""
    span: slice
    """Of the pack."""
    place_GT: Tensor | None
    """Where in the pack each token is; None where they are all and in order."""
    real_M: Tensor | None
    """Which of the G * T tokens are real, in the order of the pack; None where all are."""
    column_GT: Tensor
    """The last own column that each token sees; -1: none, of rows that have no new token."""
    bias: dict[int | None, Tensor] = field(default_factory=dict)
    """By window, [G, 1, T, P + C]."""

    def mix(self, layer: int, query_NHE: Tensor, how: Attention) -> Tensor:
        """[M, H, E] of the group's real tokens, in the order of the pack."""
        groups, new = self.column_GT.shape
        heads, width = query_NHE.shape[1:]
        query = query_NHE[self.span] if self.place_GT is None else query_NHE[self.place_GT]
        query = query.view(groups, new, heads, width).transpose(1, 2)
        keys, values = self.block.keys[layer][self.rows], self.block.values[layer][self.rows]
        query = query.to(keys.dtype)
        trunk = self.block.trunk
        beginning = (trunk.keys(layer), trunk.values(layer)) if trunk else None
        mixed = mix(query, keys, values, self._bias(how.window, query.dtype), how, beginning)
        mixed = mixed.transpose(1, 2).reshape(groups * new, heads, -1)
        return mixed if self.real_M is None else mixed[self.real_M]

    def _bias(self, window: int | None, dtype: torch.dtype) -> Tensor:
        if window not in self.bias:
            base = self.block.trunk.known if self.block.trunk else 0
            columns = torch.arange(-base, self.block.columns, device=self.column_GT.device)
            seen = columns <= self.column_GT[..., None]
            if window is not None:
                seen &= columns > self.column_GT[..., None] - window
            bias = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
            # The lowest number, not minus infinity: a row without a new token sees nothing, and must stay finite.
            self.bias[window] = bias.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]
        return self.bias[window]


class Pass:
    """The new tokens of the pieces. Every block must have room for them."""

    def __init__(self, pieces: Sequence[Piece], device: torch.device):
        self._device = device
        order = sorted(range(len(pieces)), key=lambda index: _order(pieces[index]))
        packed = [pieces[index] for index in order]
        counts = np.array([piece.count for piece in packed])
        known = np.array([piece.sequence.known for piece in packed])
        self.ids_N = self._tensor(np.array([token for piece in packed for token in _new(piece)]))
        self.positions_N = self._tensor(np.repeat(known, counts) + _within(counts))
        stops = np.empty_like(counts)
        stops[order] = counts.cumsum()
        lasts = np.array([piece.last for piece in pieces])
        self.wanted = self._tensor(np.repeat(stops - lasts, lasts) + _within(lasts))
        """Tokens after which logits are wanted, in the order of the pieces."""
        self._groups: list[_Group] = []
        self._writes: list[tuple[Block, slice, Tensor, Tensor]] = []
        at = 0
        for _, run in groupby(packed, key=_number):
            at = self._add_block(list(run), at)

    def attend(self, layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]; keys and values of the new tokens are in the cache afterwards."""
        for block, span, rows, columns in self._writes:
            block.keys[layer][rows, :, columns] = key_NKE[span]
            block.values[layer][rows, :, columns] = value_NKE[span]
        mixed = [group.mix(layer, query_NHE, how) for group in self._groups]
        return mixed[0] if len(mixed) == 1 else torch.cat(mixed)

    def _add_block(self, pieces: list[Piece], at: int) -> int:
        block = pieces[0].sequence.block
        assert block
        start = at
        for part in _like(pieces, block):
            self._groups.append(self._group(block, part, at))
            at += sum(piece.count for piece in part)
        counts = np.array([piece.count for piece in pieces])
        rows = np.repeat([piece.sequence.row for piece in pieces], counts)
        columns = np.repeat([piece.sequence.known - piece.sequence.base for piece in pieces], counts) + _within(counts)
        self._writes.append((block, slice(start, at), self._tensor(rows), self._tensor(columns)))
        return at

    def _group(self, block: Block, pieces: list[Piece], at: int) -> _Group:
        rows, counts = np.array([piece.sequence.row for piece in pieces]), np.array([piece.count for piece in pieces])
        first, above, longest = int(rows.min()), int(rows.max()) + 1, int(counts.max())
        # Rows between that have no new token cost less than a copy of the others.
        whole = above - first <= 2 * len(rows)
        lines, height = (rows - first, above - first) if whole else (np.arange(len(rows)), len(rows))
        real = np.repeat(lines * longest, counts) + _within(counts)
        column_GT = np.full(height * longest, -1)
        known = [piece.sequence.known - piece.sequence.base for piece in pieces]
        column_GT[real] = np.repeat(known, counts) + _within(counts)
        place_GT = np.full(height * longest, at)
        place_GT[real] = np.arange(at, at + len(real))
        dense = len(real) == len(column_GT)
        return _Group(
            block=block,
            rows=slice(first, above) if whole else self._tensor(rows),
            span=slice(at, at + len(real)),
            place_GT=None if dense else self._tensor(place_GT.reshape(height, longest)),
            real_M=None if dense else self._tensor(real),
            column_GT=self._tensor(column_GT.reshape(height, longest)),
        )

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array.astype(np.int64, copy=False)).to(self._device, non_blocking=True)


def _within(counts: np.ndarray) -> np.ndarray:
    """0, 1, ... up to each count, one behind the other: (2, 3) gives 0, 1, 0, 1, 2."""
    starts: np.ndarray = np.repeat(counts.cumsum() - counts, counts)
    within: np.ndarray = np.arange(len(starts)) - starts
    return within


def _new(piece: Piece) -> list[int]:
    known = piece.sequence.known
    return piece.sequence.ids[known : known + piece.count]


def _order(piece: Piece) -> tuple[int, int, int]:
    """Block by block, the longest pieces first, then by row: so a group's rows come in their order where all have one
    new token."""
    return _number(piece), -piece.count, piece.sequence.row


def _number(piece: Piece) -> int:
    assert piece.sequence.block
    return piece.sequence.block.number


def _like(pieces: list[Piece], block: Block) -> Iterator[list[Piece]]:
    """Pieces, longest first, cut where they become too unlike or too many."""
    scores = block.columns + (block.trunk.known if block.trunk else 0)
    part: list[Piece] = []
    for piece in pieces:
        long = part[0].count if part else 0
        if part and (piece.count < LIKE * long or (len(part) + 1) * long * scores > MAX_SCORES // 16):
            yield part
            part = []
        part.append(piece)
    yield part


def mix(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, how: Attention, trunk: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """Attention of [G, H, T, E] queries over [G, K, C, E] keys, and over a trunk's [K, P, E] before them.

    `bias`: [G, 1, T, P + C]. The scores against the trunk are one product for all rows.
    """
    rows, heads, new, width = query.shape
    groups = key.shape[1]
    if how.scale != 1.0:
        query = query * how.scale
    # One product each for every row and key head, with the queries of one key head side by side.
    grouped, key, value = query.reshape(rows * groups, -1, width), key.flatten(0, 1), value.flatten(0, 1)
    scores = torch.bmm(grouped, key.transpose(1, 2))
    if trunk is not None:
        scores = torch.cat([_for_all(grouped, trunk[0].transpose(1, 2)), scores], dim=-1)
    share = softmax(scores.view(rows, heads, new, -1), bias, how, by_head=(1, heads, 1, 1)).reshape(scores.shape)
    if trunk is None:
        mixed = torch.bmm(share, value)
    else:
        before, own = share.split([trunk[0].shape[1], key.shape[1]], dim=-1)
        mixed = torch.baddbmm(_for_all(before, trunk[1]), own, value)
    return mixed.view(rows, heads, new, -1)


def _for_all(rows_LTX: Tensor, shared_KXY: Tensor) -> Tensor:
    """The product of every row with what they share, [L, T, Y], as one product a head; L = G * K."""
    (lines, new, inner), (heads, _, outer) = rows_LTX.shape, shared_KXY.shape
    by_head = rows_LTX.view(-1, heads, new, inner).transpose(0, 1).reshape(heads, -1, inner)
    products = torch.bmm(by_head, shared_KXY).view(heads, -1, new, outer)
    return products.transpose(0, 1).reshape(lines, new, outer)


def softmax(scores: Tensor, bias: Tensor, how: Attention, *, by_head: tuple[int, ...]) -> Tensor:
    """The share of each of the last dimension's columns. Adds `bias` to the scores in place.

    `by_head`: the shape in which one number a head stands beside the scores.
    """
    if how.softcap is not None:
        scores = (scores / how.softcap).tanh() * how.softcap
    scores = scores.add_(bias)
    if how.sinks_H is None:
        return scores.softmax(dim=-1)
    sinks = how.sinks_H.to(scores.dtype).view(by_head).expand(*scores.shape[:-1], 1)
    return torch.cat([scores, sinks], dim=-1).softmax(dim=-1)[..., :-1]
