"""Reads rows in batches that begin together and go in step: for networks that `PackedReader` cannot read.

B rows   T tokens   V vocabulary   M positions whose logits are wanted
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from solon.lm.attention import Piece
from solon.lm.cache import Sequence as Tokens
from solon.lm.decoder import Decoder
from solon.lm.jobs import Job

COMPACT_BELOW = 0.8
"""Finished rows are dropped from the batch once fewer than this share of it is going on; measured."""


class LockstepReader:
    """One batch at a time. Nothing is shared between rows."""

    pieces = False
    reused = 0

    def __init__(self, decoder: Callable[[], Decoder], *, columns: int, budget: int, device: torch.device):
        """
        Args:
            decoder: one with nothing read.
            columns: that a batch may have, padding and all.
            budget: tokens that a batch may have.
        """
        self._new, self._columns, self._budget, self._device = decoder, columns, budget, device
        self._decoder: Decoder | None = None
        self._batch: list[Tokens] = []
        self._going = 0

    def expect(self, jobs: Sequence[Job]) -> None: ...

    def forget(self, job: Job) -> None: ...

    def rest(self) -> None: ...

    def close(self) -> None:
        self._decoder, self._batch = None, []

    def beginnings(self) -> list[Tokens]:
        return []

    def begin(self, job: Job) -> Tokens | Literal["wait", "full"]:
        """A place in the batch that is formed, as far as the longest prompt and what may follow another fit side by
        side; none once the batch was read."""
        if not self._going:
            self._decoder, self._batch = None, []
        if self._decoder:
            return "full"
        batch = [*self._batch, Tokens(ids=job.ids, most=job.most)]
        columns = max(len(row.ids) for row in batch) + max(row.most - len(row.ids) for row in batch)
        if len(batch) > 1 and (columns > self._columns or columns * len(batch) > self._budget):
            return "full"
        self._batch, self._going = batch, self._going + 1
        return batch[-1]

    @torch.no_grad()
    def read(self, pieces: Sequence[Piece]) -> Tensor:
        """All rows of the batch, or one token of each that is going."""
        if self._decoder is None:
            self._decoder = self._new()
        elif len(pieces) < COMPACT_BELOW * len(self._batch):
            going = {piece.sequence for piece in pieces}
            places = [place for place, row in enumerate(self._batch) if row in going]
            self._decoder.keep(torch.tensor(places, device=self._device))
            self._batch = [self._batch[place] for place in places]
        new = {piece.sequence: piece.sequence.ids[piece.sequence.known :] for piece in pieces}
        ids_BT, mask_BT = padded([new.get(row, [0]) for row in self._batch], self._device)
        last = max(piece.last for piece in pieces)
        logits_BNV = self._decoder.extend(ids_BT, mask_BT, last=last)
        place = {row: number for number, row in enumerate(self._batch)}
        for piece in pieces:
            piece.sequence.known += piece.count
        return torch.cat([logits_BNV[place[piece.sequence], last - piece.last :] for piece in pieces])

    def end(self, sequence: Tokens, *, clean: bool = False) -> None:
        self._going -= 1


def padded(sequences: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids [B, T] and mask [B, T] (True: a real token), padded on the left with token 0."""
    longest = max(len(sequence) for sequence in sequences)
    ids_BT = np.zeros((len(sequences), longest), dtype=np.int64)
    mask_BT = np.zeros((len(sequences), longest), dtype=bool)
    for row, sequence in enumerate(sequences):
        ids_BT[row, longest - len(sequence) :] = sequence
        mask_BT[row, longest - len(sequence) :] = True
    return torch.from_numpy(ids_BT).to(device), torch.from_numpy(mask_BT).to(device)
