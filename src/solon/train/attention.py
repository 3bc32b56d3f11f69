"""How the tokens of packed trees attend: each to its own row, that is to its trunk and to its branch, up to itself.

Fulfills `lm.packed.Attends`, so it serves every network whose attention is a function that transformers lets one name.
Everything but attention runs on the pack as it is, without padding. Gradients are those of separate rows.

    N tokens of a pack   S trees of a stand   P tokens of its longest trunk   B branches   T tokens of the longest
    K key-value heads   h query heads of each   H = K * h   E head width   C columns
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from solon.lm.attention import Attention, softmax
from solon.train.trees import Tree

LIKE = 0.5
"""Trees whose longest row is shorter than this share of a stand's longest are in another: padding is computed too."""
SHORT_ROWS = 300
"""Up to this length attention written out as two matrix products beats the fused CPU kernel when gradients are needed:
measured, width 192, 6 layers, bf16, two cores, 23k against 14k tokens/s at T = 80 and 17k against 13k at T = 300."""


class Forest:
    """Trees, packed one behind the other."""

    def __init__(self, trees: Sequence[Tree], device: torch.device):
        ids: list[int] = []
        positions: list[np.ndarray] = []
        self.places: dict[int, np.ndarray] = {}
        """By row, where in the pack its tokens are."""
        self._stands: list[_Stand] = []
        for stand in _alike(trees):
            self._stands.append(_Stand.of(stand, len(ids), device))
            starts = len(ids) + _starts([len(tree.trunk) for tree in stand])
            ids += [token for tree in stand for token in tree.trunk]
            positions += [np.arange(len(tree.trunk)) for tree in stand]
            for tree, start in zip(stand, starts, strict=True):
                trunk = start + np.arange(len(tree.trunk))
                for branch, rows in zip(tree.branches, tree.rows, strict=True):
                    places = np.concatenate([trunk, len(ids) + np.arange(len(branch))])
                    self.places |= dict.fromkeys(rows, places)
                    ids += branch
                    positions.append(len(trunk) + np.arange(len(branch)))
        self._slots = [slots for stand in self._stands for slots in stand.slots]
        self.ids_N = torch.tensor(ids, device=device)
        self.positions_N = torch.from_numpy(np.concatenate(positions)).to(device)

    def attend(self, _layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]."""
        dtype, heads = _dtype(query_NHE), key_NKE.shape[1]
        with torch.autocast(query_NHE.device.type, enabled=False):
            packed = (query_NHE * how.scale, key_NKE, value_NKE)
            parts = zip(*(_spread(tensor.to(dtype), self._slots, heads) for tensor in packed), strict=True)
            mixed = [part for stand in self._stands for part in stand.mix([next(parts) for _ in stand.slots], how)]
            return _gather(self._slots, *mixed)


def _dtype(tensor: Tensor) -> torch.dtype:
    """Of the products: autocast's, where it is on."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def _starts(lengths: Sequence[int]) -> np.ndarray:
    """Where each begins, one behind the other: (2, 3, 1) gives 0, 2, 5."""
    starts: np.ndarray = np.cumsum([0, *lengths[:-1]])
    return starts


def _alike(trees: Sequence[Tree]) -> Iterator[list[Tree]]:
    """Stands: trees of like length, rows alone by themselves."""
    part: list[Tree] = []
    for tree in sorted(trees, key=lambda tree: (len(tree.branches) > 1, tree.longest), reverse=True):
        alone, longest = (len(part[0].branches) == 1, part[0].longest) if part else (False, 0)
        if part and ((len(tree.branches) == 1) != alone or tree.longest < LIKE * longest):
            yield part
            part = []
        part.append(tree)
    yield part


Parts = tuple[Tensor, Tensor, Tensor]
"""Queries [S, K, h, T, E], keys and values [S, K, 1, T, E], in slots."""


@dataclass(kw_only=True)
class _Stand:
    """Trees that attend together: in the pack all trunks, then all branches."""

    slots: list[_Slots]
    """Of the trunks, and of the branches unless every tree is all trunk."""
    tree_B: Tensor
    """Of each branch."""
    trunk_B: Tensor
    """Tokens of each branch's trunk."""
    bias: dict[tuple[bool, int | None, torch.dtype], Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: Sequence[Tree], start: int, device: torch.device) -> _Stand:
        """`start`: where in the pack it begins."""
        trunk_S = np.array([len(tree.trunk) for tree in trees])
        branch_B = np.array([len(branch) for tree in trees for branch in tree.branches])
        tree_B = np.repeat(np.arange(len(trees)), [len(tree.branches) for tree in trees])
        slots = [_Slots.of(trunk_S, start, device)]
        if branch_B.any():
            slots.append(_Slots.of(branch_B, start + int(trunk_S.sum()), device))
        tree, trunk = (torch.from_numpy(column).to(device) for column in (tree_B, trunk_S[tree_B]))
        return cls(slots=slots, tree_B=tree, trunk_B=trunk)

    def mix(self, parts: Sequence[Parts], how: Attention) -> Iterator[Tensor]:
        """What the queries of trunks and of branches gather, [S, K, h, T, E]."""
        query, key, value = parts[0]
        yield _mix(query, key, value, self._bias(how, query.dtype, trunk=True), how)
        for query, own_key, own_value in parts[1:]:
            keys = torch.cat([self._of_branches(key), own_key], dim=-2)
            values = torch.cat([self._of_branches(value), own_value], dim=-2)
            yield _mix(query, keys, values, self._bias(how, query.dtype, trunk=False), how)

    def _of_branches(self, trunk_S: Tensor) -> Tensor:
        """A copy for each branch. By a product, whose gradient is a sum in float32 and in one order."""
        tree_BS = F.one_hot(self.tree_B, len(trunk_S)).to(trunk_S.dtype)
        return (tree_BS @ trunk_S.flatten(1)).view(-1, *trunk_S.shape[1:])

    def _bias(self, how: Attention, dtype: torch.dtype, *, trunk: bool) -> Tensor:
        """[B or 1, 1, 1, T, C]: 0 where a token sees a column, minus infinity elsewhere. Every token sees itself."""
        key = trunk, how.window, dtype
        if key not in self.bias:
            own_T = torch.arange(self.slots[0 if trunk else 1].longest, device=self.trunk_B.device)
            seen = (own_T <= own_T[:, None])[None]
            distance = (own_T[:, None] - own_T)[None]
            if not trunk:
                before_P = torch.arange(self.slots[0].longest, device=own_T.device)
                real_B1P = before_P < self.trunk_B[:, None, None]
                seen = torch.cat([real_B1P.expand(-1, len(own_T), -1), seen.expand(len(real_B1P), -1, -1)], dim=-1)
                behind = self.trunk_B[:, None, None] + own_T[:, None] - before_P
                distance = torch.cat([behind, distance.expand(len(behind), -1, -1)], dim=-1)
            if how.window is not None:
                seen = seen & (distance < how.window)
            bias = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, -torch.inf)
            self.bias[key] = bias[:, None, None]
        return self.bias[key]


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """Where in a padded [S, T] tokens go that lie one behind the other in the pack. An empty slot holds some token;
    none that is real sees it, and its gradient is 0."""

    shape: tuple[int, int]
    start: int
    """Where in the pack they begin."""
    token_ST: Tensor
    slot_N: Tensor
    """Of each token."""
    _rows: dict[tuple[int, int], tuple[Tensor, Tensor]] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        return self.shape[1]

    @classmethod
    def of(cls, lengths_S: np.ndarray, start: int, device: torch.device) -> _Slots:
        real_ST = np.arange(lengths_S.max()) < lengths_S[:, None]
        slot_N = np.flatnonzero(real_ST)
        token_ST = np.full(real_ST.shape, start)
        token_ST[real_ST] += np.arange(len(slot_N))
        token, slot = (torch.from_numpy(places).to(device) for places in (token_ST, slot_N))
        return cls(shape=real_ST.shape, start=start, token_ST=token, slot_N=slot)

    def rows(self, heads: int, each: int) -> tuple[Tensor, Tensor]:
        """With heads: of each slot in [S, K, h, T], which row of [N, H] it holds; and of each such row, its slot."""
        if (heads, each) not in self._rows:
            head_Kh1 = torch.arange(heads * each, device=self.slot_N.device).view(heads, each, 1)
            held = (self.token_ST[:, None, None] * heads * each + head_Kh1).flatten()
            slots = torch.arange(len(held), device=held.device).view(self.shape[0], heads * each, -1)
            own = slots.transpose(1, 2).flatten(0, 1)[self.slot_N]
            self._rows[heads, each] = held, own.flatten()
        return self._rows[heads, each]


class _Spread(torch.autograd.Function):
    """[S, K, h, T, E] of each of the slots, of a packed [N, K * h, E]."""

    @staticmethod
    def forward(ctx: Any, packed_NHE: Tensor, slots: Sequence[_Slots], heads: int) -> tuple[Tensor, ...]:
        ctx.slots, each = slots, packed_NHE.shape[1] // heads
        rows = packed_NHE.reshape(-1, packed_NHE.shape[-1])
        held = (rows.index_select(0, some.rows(heads, each)[0]) for some in slots)
        return tuple(
            some.view(its.shape[0], heads, each, its.longest, -1) for some, its in zip(held, slots, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return _pack(grads, ctx.slots), None, None


class _Gather(torch.autograd.Function):
    """The other way round."""

    @staticmethod
    def forward(ctx: Any, slots: Sequence[_Slots], *padded: Tensor) -> Tensor:
        ctx.slots, ctx.shapes = slots, [some.shape for some in padded]
        return _pack(padded, slots)

    @staticmethod
    def backward(ctx: Any, grad_NHE: Tensor) -> tuple[Tensor | None, ...]:
        grads, width = [], grad_NHE.shape[-1]
        for some, shape in zip(ctx.slots, ctx.shapes, strict=True):
            _, own = some.rows(*shape[1:3])
            rows = grad_NHE[some.start : some.start + len(some.slot_N)].reshape(-1, width)
            grads.append(rows.new_zeros(shape).view(-1, width).index_copy_(0, own, rows).view(shape))
        return None, *grads


def _pack(padded: Sequence[Tensor], slots: Sequence[_Slots]) -> Tensor:
    """[N, H, E] of what the slots hold."""
    _, heads, each, _, width = padded[0].shape
    packed = padded[0].new_empty(sum(len(some.slot_N) for some in slots), heads * each, width)
    for part, some in zip(padded, slots, strict=True):
        there = packed[some.start : some.start + len(some.slot_N)].view(-1, width)
        torch.index_select(part.reshape(-1, width), 0, some.rows(heads, each)[1], out=there)
    return packed


_spread: Callable[[Tensor, Sequence[_Slots], int], tuple[Tensor, ...]] = _Spread.apply
_gather: Callable[..., Tensor] = _Gather.apply


def _mix(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, how: Attention) -> Tensor:
    """Attention of [S, K, h, T, E] over columns [S, K, 1, C, E]."""
    long = bias.shape[-1] > SHORT_ROWS or query.device.type != "cpu"
    if long and how.softcap is None and how.sinks_H is None:
        return _fused(query, key, value, bias, how)
    rows, heads, each, tokens, width = query.shape
    scores = torch.bmm(query.view(rows * heads, -1, width), key.view(rows * heads, -1, width).mT)
    share = softmax(scores.view(rows, heads, each, tokens, -1), bias, how, by_head=(1, heads, each, 1, 1))
    mixed = torch.bmm(share.view(rows * heads, each * tokens, -1), value.view(rows * heads, -1, value.shape[-1]))
    return mixed.view(rows, heads, each, tokens, -1)


def _fused(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, how: Attention) -> Tensor:
    """`_mix` by torch's own kernel, which never holds the scores."""
    rows, heads, each, tokens, _ = query.shape
    causal = key.shape[-2] == tokens and how.window is None
    mixed = F.scaled_dot_product_attention(
        query.flatten(1, 2),
        key.flatten(1, 2),
        value.flatten(1, 2),
        None if causal else bias[:, 0].expand(rows, -1, -1, -1),
        is_causal=causal,
        scale=1.0,
        enable_gqa=each > 1,
    )
    return mixed.view(rows, heads, each, tokens, -1)
