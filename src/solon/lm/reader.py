"""What the scheduler asks of a network, and how a network with attention alone answers: from a cache of all rows.

V vocabulary   M positions whose logits are wanted
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import torch
from torch import Tensor

from solon.lm.attention import Pass, Piece
from solon.lm.cache import Cache, Shape
from solon.lm.cache import Sequence as Tokens
from solon.lm.jobs import Job
from solon.lm.prefixes import Prefixes


class Reader(Protocol):
    """A network, and what it remembers of sequences."""

    @property
    def pieces(self) -> bool:
        """Whether a sequence may be read piece by piece."""

    @property
    def reused(self) -> int:
        """Tokens that did not have to be read again."""

    def expect(self, jobs: Sequence[Job]) -> None:
        """These wait, and others are to come."""

    def forget(self, job: Job) -> None:
        """This no longer waits."""

    def begin(self, job: Job) -> Tokens | Literal["wait", "full"]:
        """A place for a job. "wait": not yet, but others may have one; "full": nobody."""

    def beginnings(self) -> list[Tokens]:
        """What is to be read for several jobs that wait, since the last call."""

    def read(self, pieces: Sequence[Piece]) -> Tensor:
        """Float32 logits after the last tokens of every piece, [M, V]."""

    def end(self, sequence: Tokens, *, clean: bool = False) -> None:
        """Nobody works on the sequence any more. `clean`: what it holds are not numbers."""

    def rest(self) -> None:
        """All that waits has been looked at."""

    def close(self) -> None:
        """Nothing more is read; memory is given back."""


class Network(Protocol):
    """A network that attends by `Pass.attend`."""

    dtype: torch.dtype
    device: torch.device

    def shapes(self) -> list[Shape]:
        """What each layer keeps of a token."""

    def read(self, tokens: Pass) -> Tensor:
        """Float32 logits after the wanted tokens, [M, V]."""


class PackedReader:
    """Reads new tokens of all sequences side by side, without padding."""

    pieces = True

    def __init__(self, network: Network, *, budget: int, rows: int):
        self._network = network
        self._cache = Cache(network.shapes(), dtype=network.dtype, device=network.device, budget=budget)
        self._prefixes = Prefixes(self._cache, rows)

    @property
    def reused(self) -> int:
        return self._prefixes.reused

    def expect(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._prefixes.expect(job)

    def forget(self, job: Job) -> None:
        self._prefixes.forget(job)

    def begin(self, job: Job) -> Tokens | Literal["wait", "full"]:
        return self._prefixes.place(job)

    def beginnings(self) -> list[Tokens]:
        found, self._prefixes.trunks_to_read = self._prefixes.trunks_to_read, []
        return found

    @torch.no_grad()
    def read(self, pieces: Sequence[Piece]) -> Tensor:
        for piece in pieces:
            self._prefixes.grow(piece.sequence, piece.sequence.known + piece.count)
        logits_MV = self._network.read(Pass(pieces, self._network.device))
        for piece in pieces:
            piece.sequence.known += piece.count
        return logits_MV

    def end(self, sequence: Tokens, *, clean: bool = False) -> None:
        self._prefixes.end(sequence, clean=clean)

    def rest(self) -> None:
        self._prefixes.rest()

    def close(self) -> None:
        self._cache.clear()
