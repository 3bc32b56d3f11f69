"""Attention of packed trees on a GPU: torch's FlexAttention, one kernel that passes over every block of queries and
columns in which no token sees another. `train.attention` gathers the same by masks; so is it tested.

    N tokens of a pack   K key-value heads   H query heads   E head width   Q blocks of queries   C of columns; Q = C
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from solon.lm.attention import Attention
from solon.train.trees import Piece

BLOCK = 128
"""Tokens of a block: what the kernel works on at once by default."""
WIDTHS = (32, 64, 128, 256)
"""Of heads, that the kernel takes in every version of torch that Solon runs with."""


class Flex:
    """One pack's."""

    def __init__(self, pieces: Sequence[Piece], positions_N: Tensor):
        """`pieces`: in the order of the pack."""
        device, lengths = positions_N.device, [len(piece.tokens) for piece in pieces]
        number = {piece: nth for nth, piece in enumerate(pieces)}
        trunk = [number[piece.trunk or piece] for piece in pieces]
        self._position_N = positions_N
        self._piece_N = torch.from_numpy(np.repeat(np.arange(len(pieces)), lengths)).to(device)
        self._trunk_N = torch.from_numpy(np.repeat(trunk, lengths)).to(device)
        self._some_QC, self._whole_QC = seen_blocks(lengths, trunk)
        self._masks: dict[int | None, BlockMask] = {}

    @staticmethod
    def serves(query_NHE: Tensor, value_NKE: Tensor, how: Attention) -> bool:
        """Whether heads are of a width, and attend in a way, that the kernel knows. A pack of one block would want a
        kernel of its own: longer ones, of any length, share theirs."""
        widths = {query_NHE.shape[-1], value_NKE.shape[-1]}
        return how.sinks_H is None and len(query_NHE) > BLOCK and widths <= {*WIDTHS}

    def attend(self, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """[N, H, E]. Queries are scaled."""
        query, key, value = (one.transpose(0, 1)[None] for one in (query_NHE, key_NKE, value_NKE))
        mixed: Tensor = _kernel(query.device.type)(
            query,
            key,
            value,
            score_mod=None if how.softcap is None else _capped(torch.tensor(how.softcap, device=query.device)),
            block_mask=self._mask(how.window),
            scale=1.0,
            enable_gqa=query.shape[1] != key.shape[1],
        )
        return mixed[0].transpose(0, 1)

    def _mask(self, window: int | None) -> BlockMask:
        """What each token sees. Within a window no block is sure to be seen whole, so all are looked into."""
        if window not in self._masks:
            tokens, device = len(self._position_N), self._position_N.device
            whole_QC = self._whole_QC & (window is None)
            some, whole = (_listed(one, device) for one in ((self._some_QC | self._whole_QC) & ~whole_QC, whole_QC))
            self._masks[window] = BlockMask.from_kv_blocks(
                *some, *whole, BLOCK_SIZE=BLOCK, mask_mod=self._sees(window), seq_lengths=(tokens, tokens)
            )
        return self._masks[window]

    def _sees(self, window: int | None) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
        """Whether the token of query `q` sees that of column `c`. Of tensors alone: the compiler takes numbers that are
        not always the same badly."""
        piece_N, trunk_N, position_N = self._piece_N, self._trunk_N, self._position_N
        first_N = torch.zeros_like(position_N) if window is None else position_N - (window - 1)

        def sees(_batch: Tensor, _head: Tensor, q: Tensor, c: Tensor) -> Tensor:
            in_row = (piece_N[c] == piece_N[q]) | (piece_N[c] == trunk_N[q])
            return in_row & (position_N[c] <= position_N[q]) & (position_N[c] >= first_N[q])

        return sees


def seen_blocks(lengths: Sequence[int], trunk: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """([Q, C], [Q, C]): blocks in which some pairs of tokens see each other but not all, and those in which all do.

    `trunk`: of each piece the number of the one before it, or its own.
    """
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    blocks = -(-bounds[-1] // BLOCK)
    pairs_QC = np.zeros((blocks, blocks), dtype=np.int64)
    for piece, before in enumerate(trunk):
        q, in_q = _spread(bounds[piece], bounds[piece + 1])
        # A piece sees itself up to the diagonal. There a block is not seen whole: a pair less than it has says so.
        own = np.tril(np.outer(in_q, in_q)) - np.diag(in_q > 1)
        pairs_QC[q, q] += own
        if before != piece:
            c, in_c = _spread(bounds[before], bounds[before + 1])
            pairs_QC[q, c] += np.outer(in_q, in_c)
    whole_QC = pairs_QC == BLOCK**2
    return (pairs_QC > 0) & ~whole_QC, whole_QC


def _spread(begin: int, end: int) -> tuple[slice, np.ndarray]:
    """Blocks that a piece lies in, and how many of its tokens are in each."""
    first, last = begin // BLOCK, -(-end // BLOCK)
    edges = np.clip(np.arange(first, last + 1) * BLOCK, begin, end)
    return slice(first, last), np.diff(edges)


def _listed(blocks_QC: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
    """As the kernel wants it: by block of queries, how many blocks of columns, [1, 1, Q], and which, [1, 1, Q, C],
    those first."""
    count_Q, order_QC = blocks_QC.sum(axis=1), np.argsort(~blocks_QC, axis=1, kind="stable")
    count, order = (torch.from_numpy(one.astype(np.int32)).to(device)[None, None] for one in (count_Q, order_QC))
    return count, order


def _capped(cap: Tensor) -> Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]:
    """Scores that stay below `cap`."""

    def capped(score: Tensor, _batch: Tensor, _head: Tensor, _q: Tensor, _c: Tensor) -> Tensor:
        return (score / cap).tanh() * cap

    return capped


@cache
def _kernel(device: str) -> Any:
    """Compiled for packs of any length; a processor runs it as it is written, for tests."""
    return torch.compile(flex_attention, dynamic=True) if device == "cuda" else flex_attention
