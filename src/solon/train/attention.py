"""How the tokens of packed trees attend: each to its own row, that is to its trunk and to its branch, up to itself.

Fulfills `lm.packed.Attends`, so it serves every network whose attention is a function that transformers lets one name.
Everything but attention runs on the pack as it is, without padding. Gradients are those of separate rows.

    N tokens of a pack   S trees of a stand   P tokens of its longest trunk   G branches of its widest tree
    T tokens of its longest branch   K key-value heads   h query heads of each   H = K * h   E head width   C columns
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
        self.ids_N = torch.tensor(ids, device=device)
        self.positions_N = torch.from_numpy(np.concatenate(positions)).to(device)

    def attend(self, _layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]."""
        dtype = _dtype(query_NHE)
        with torch.autocast(query_NHE.device.type, enabled=False):
            tensors = [tensor.to(dtype) for tensor in (query_NHE, key_NKE, value_NKE)]
            mixed = [stand.attend([tensor[stand.span] for tensor in tensors], how) for stand in self._stands]
            return mixed[0] if len(mixed) == 1 else torch.cat(mixed)


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


@dataclass(kw_only=True)
class _Stand:
    """Trees that attend together. Trunks and branches are padded on the right, in slots, for their products."""

    span: slice
    """Of the pack: all trunks, then all branches."""
    trunks: _Slots
    branches: _Slots | None
    """None where every tree is all trunk."""
    trunk_S: Tensor
    """Tokens of each trunk."""
    bias: dict[tuple[bool, int | None, torch.dtype], Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: Sequence[Tree], start: int, device: torch.device) -> _Stand:
        """`start`: where in the pack it begins."""
        trunk = np.array([len(tree.trunk) for tree in trees])
        width = max(len(tree.branches) for tree in trees)
        branch = np.array([[*map(len, tree.branches), *[0] * (width - len(tree.branches))] for tree in trees])
        return cls(
            span=slice(start, start + int(trunk.sum() + branch.sum())),
            trunks=_Slots.of(trunk[:, None], device),
            branches=_Slots.of(branch, device) if branch.any() else None,
            trunk_S=torch.from_numpy(trunk).to(device),
        )

    def attend(self, tensors: Sequence[Tensor], how: Attention) -> Tensor:
        """[N, H, E] of its queries [N, H, E], keys and values [N, K, E]."""
        query_NHE, key_NKE, value_NKE = tensors
        parts, heads, size = (query_NHE * how.scale, key_NKE, value_NKE), key_NKE.shape[1], len(self.trunks.slot_N)
        query, key, value = (self.trunks.spread(part[:size], heads) for part in parts)
        mixed = self.trunks.gather(_mix(query, [key], [value], self._bias(how, query.dtype, trunk=True), how))
        if self.branches is None:
            return mixed
        query, own_key, own_value = (self.branches.spread(part[size:], heads) for part in parts)
        bias = self._bias(how, query.dtype, trunk=False)
        return torch.cat([mixed, self.branches.gather(_mix(query, [key, own_key], [value, own_value], bias, how))])

    def _bias(self, how: Attention, dtype: torch.dtype, *, trunk: bool) -> Tensor:
        """[S or 1, 1, 1, 1, T, C]: 0 where a token sees a column, minus infinity elsewhere. Every token sees itself."""
        key = trunk, how.window, dtype
        if key not in self.bias:
            own_T = torch.arange((self.trunks if trunk else self._grown).longest, device=self.trunk_S.device)
            seen = (own_T <= own_T[:, None])[None]
            distance = (own_T[:, None] - own_T)[None]
            if not trunk:
                before_P = torch.arange(self.trunks.longest, device=own_T.device)
                real_S1P = before_P < self.trunk_S[:, None, None]
                seen = torch.cat([real_S1P.expand(-1, len(own_T), -1), seen.expand(len(real_S1P), -1, -1)], dim=-1)
                behind = self.trunk_S[:, None, None] + own_T[:, None] - before_P
                distance = torch.cat([behind, distance.expand(len(behind), -1, -1)], dim=-1)
            if how.window is not None:
                seen = seen & (distance < how.window)
            bias = torch.zeros(seen.shape, dtype=dtype, device=seen.device).masked_fill_(~seen, -torch.inf)
            self.bias[key] = bias[:, None, None, None]
        return self.bias[key]

    @property
    def _grown(self) -> _Slots:
        assert self.branches
        return self.branches


@dataclass(frozen=True, kw_only=True)
class _Slots:
    """Where in a padded [S, G, T] tokens go that are packed one behind the other."""

    shape: tuple[int, int, int]
    slot_N: Tensor

    @property
    def longest(self) -> int:
        return self.shape[2]

    @classmethod
    def of(cls, lengths_SG: np.ndarray, device: torch.device) -> _Slots:
        longest = int(lengths_SG.max())
        slots = np.flatnonzero(np.arange(longest) < lengths_SG[..., None])
        return cls(shape=(*lengths_SG.shape, longest), slot_N=torch.from_numpy(slots).to(device))

    def spread(self, packed_NHE: Tensor, heads: int) -> Tensor:
        """[S, K, G, h, T, E] of [N, K * h, E], zero in the empty slots."""
        width = packed_NHE.shape[-1]
        padded: Tensor = _spread(packed_NHE.flatten(1), self.slot_N, int(np.prod(self.shape)))
        padded = padded.view(*self.shape, heads, -1, width).permute(0, 3, 1, 4, 2, 5)
        return padded.contiguous()

    def gather(self, padded: Tensor) -> Tensor:
        """The other way round."""
        trees, heads, branches, each, tokens, width = padded.shape
        flat = padded.permute(0, 2, 4, 1, 3, 5).reshape(trees * branches * tokens, -1)
        packed: Tensor = _gather(flat, self.slot_N)
        return packed.view(len(self.slot_N), heads * each, width)


class _Spread(torch.autograd.Function):
    """Rows into slots, each into another: faster than indexing, which would have to add up gradients."""

    @staticmethod
    def forward(ctx: Any, rows_NX: Tensor, slot_N: Tensor, slots: int) -> Tensor:
        ctx.save_for_backward(slot_N)
        return rows_NX.new_zeros(slots, rows_NX.shape[1]).index_copy_(0, slot_N, rows_NX)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        return grad.index_select(0, *ctx.saved_tensors), None, None


class _Gather(torch.autograd.Function):
    """Rows out of slots."""

    @staticmethod
    def forward(ctx: Any, slots_MX: Tensor, slot_N: Tensor) -> Tensor:
        ctx.save_for_backward(slot_N)
        ctx.slots = len(slots_MX)
        return slots_MX.index_select(0, slot_N)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (slot_N,) = ctx.saved_tensors
        return grad.new_zeros(ctx.slots, grad.shape[1]).index_copy_(0, slot_N, grad), None


_spread: Callable[[Tensor, Tensor, int], Tensor] = _Spread.apply
_gather: Callable[[Tensor, Tensor], Tensor] = _Gather.apply


def _mix(query: Tensor, keys: Sequence[Tensor], values: Sequence[Tensor], bias: Tensor, how: Attention) -> Tensor:
    """Attention of [S, K, G, h, T, E] over columns that all branches of a tree share, if there are any, and their own.

    `keys` and `values`: own alone, or shared before own; each [S, K, G or 1, 1, C, E].
    """
    long = bias.shape[-1] > SHORT_ROWS or query.device.type != "cpu"
    if long and how.softcap is None and how.sinks_H is None:
        return _fused(query, keys, values, bias, how)
    scores = torch.cat([_product(query, key.mT) for key in keys], dim=-1)
    share = softmax(scores, bias, how, by_head=(1, query.shape[1], 1, query.shape[3], 1, 1))
    parts = share.split([key.shape[-2] for key in keys], dim=-1)
    mixed = [_product(part, value) for part, value in zip(parts, values, strict=True)]
    return mixed[0] if len(mixed) == 1 else mixed[0] + mixed[1]


def _product(left: Tensor, right: Tensor) -> Tensor:
    """[S, K, G, h, T, X] @ [S, K, G or 1, 1, X, Y], as one batched product."""
    lines = left.shape[0] * left.shape[1] * right.shape[2]
    product = torch.bmm(left.reshape(lines, -1, left.shape[-1]), right.reshape(lines, *right.shape[-2:]))
    return product.view(*left.shape[:-1], -1)


def _fused(query: Tensor, keys: Sequence[Tensor], values: Sequence[Tensor], bias: Tensor, how: Attention) -> Tensor:
    """`_mix` by torch's own kernel, which never holds the scores; every branch gets its trunk's keys and values."""
    trees, heads, branches, each, tokens, _ = query.shape

    def rows(parts: Sequence[Tensor]) -> Tensor:
        whole = torch.cat([part.expand(-1, -1, branches, -1, -1, -1) for part in parts], dim=-2)
        return whole.transpose(1, 2).reshape(trees * branches, -1, whole.shape[-2], whole.shape[-1])

    causal = len(keys) == 1 and how.window is None
    mask = None if causal else bias.expand(trees, 1, branches, 1, -1, -1).reshape(trees * branches, 1, tokens, -1)
    mixed = F.scaled_dot_product_attention(
        rows([query]), rows(keys), rows(values), mask, is_causal=causal, scale=1.0, enable_gqa=each > 1
    )
    return mixed.view(trees, branches, heads, each, tokens, -1).transpose(1, 2)
