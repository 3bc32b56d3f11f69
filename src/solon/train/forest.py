"""How the tokens of packed trees attend: each to its own row, that is to its trunk and to its branch, up to itself.

Fulfills `lm.packed.Attends`, so it serves every network whose attention is a function that transformers lets one name.
Everything but attention runs on the pack as it is, without padding. Gradients are those of separate rows.

    N tokens of a pack   K key-value heads   H query heads   E head width
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor

from solon.lm.attention import Attention
from solon.train.attention import Masks, alike
from solon.train.flex import Flex
from solon.train.trees import Piece, Tree, ends, grow

TRIED = [(*range(200), *range(300 + answer, 360 + answer)) for answer in range(4)] + [tuple(range(500, 800))]
"""Rows of a trial: branches behind a trunk, in one block with others and across blocks."""
WAYS = (Attention(), Attention(window=100, softcap=5.0))
"""Of attending, that are tried."""
CLOSE = 0.05
"""How far two ways may be from each other, as a share. Measured: 0.02 in bfloat16 on a processor, where gradients are
rounded several times; 0.18 where tokens do not see themselves."""


class Forest:
    """Trees, packed piece by piece."""

    def __init__(self, trees: Sequence[Tree], device: torch.device):
        last = {row: piece for tree in trees for piece, rows in ends(tree) for row in rows}
        self._parts = list(alike({piece: None for end in last.values() for piece in end.path}))
        self._place: dict[Piece, np.ndarray] = {}
        tokens = 0
        for piece in (piece for part in self._parts for piece in part):
            self._place[piece] = np.arange(tokens, tokens := tokens + len(piece.tokens))
        self.places = {row: np.concatenate([self._place[piece] for piece in end.path]) for row, end in last.items()}
        """By row, where in the pack its tokens are."""
        self.ids_N = torch.tensor([token for piece in self._place for token in piece.tokens], device=device)
        positions = [np.arange(piece.begin, piece.end) for piece in self._place]
        self.positions_N = torch.from_numpy(np.concatenate(positions)).to(device)

    def attend(self, _layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]."""
        dtype = _dtype(query_NHE)
        with torch.autocast(query_NHE.device.type, enabled=False):
            query, key, value = (query_NHE * how.scale).to(dtype), key_NKE.to(dtype), value_NKE.to(dtype)
            way = self.flex if _by_flex(query, value, how) else self.masks
            return way.attend(query, key, value, how)

    @cached_property
    def masks(self) -> Masks:
        return Masks(self._parts, self._place, self.ids_N.device)

    @cached_property
    def flex(self) -> Flex:
        return Flex([*self._place], self.positions_N)


def _dtype(tensor: Tensor) -> torch.dtype:
    """Of the products: autocast's, where it is on."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else tensor.dtype


def _by_flex(query_NHE: Tensor, value_NKE: Tensor, how: Attention) -> bool:
    device, dtype = query_NHE.device, query_NHE.dtype
    return device.type == "cuda" and Flex.serves(query_NHE, value_NKE, how) and fault_of_flex(device, dtype) is None


@cache
def fault_of_flex(device: torch.device, dtype: torch.dtype) -> str | None:
    """Why attention is not by FlexAttention on this GPU: it cannot be compiled there, or it does not give what masks
    give, gradients included. None: it does."""
    drawn, forest = torch.Generator().manual_seed(0), Forest(grow(TRIED), device)
    given = [torch.randn(len(forest.ids_N), heads, 64, generator=drawn).to(device, dtype) for heads in (4, 2, 2)]
    weight = torch.randn(given[0].shape, generator=drawn).to(device, dtype)
    for how in WAYS:
        try:
            found, wanted = (_trial(one, given, weight, how) for one in (forest.flex, forest.masks))
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:  # whatever stops the compiler is one, such as a missing Triton
            return f"cannot be compiled ({type(error).__name__}: {' '.join(str(error).split()):.200})"
        apart = [float((one - other).norm() / other.norm()) for one, other in zip(found, wanted, strict=True)]
        if not all(one <= CLOSE for one in apart):
            return f"is {', '.join(f'{one:.1%}' for one in apart)} from attention by masks"
    return None


def _trial(way: Flex | Masks, given: Sequence[Tensor], weight: Tensor, how: Attention) -> list[Tensor]:
    """What each token gathers, and the gradients of a sum of it."""
    with torch.enable_grad():
        leaves = [one.detach().requires_grad_() for one in given]
        gathered = way.attend(leaves[0], leaves[1], leaves[2], how)
        return [one.detach().float() for one in (gathered, *torch.autograd.grad((gathered * weight).sum(), leaves))]
