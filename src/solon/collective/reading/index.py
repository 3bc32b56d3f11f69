"""Votes as positions in the matrix of participants and statements, kept sparse."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Bools, Ints
from solon.collective.reading.exported import ExportedVotes


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The ids that number the rows and columns."""

    participant_ids: Ints
    """[P], ascending."""
    statement_ids: Ints
    """[S], ascending."""

    def keys(self, votes: ExportedVotes) -> Ints:
        """row * S + column of each vote."""
        row = np.searchsorted(self.participant_ids, votes.participant)
        column = np.searchsorted(self.statement_ids, votes.statement)
        return np.asarray(row * len(self.statement_ids) + column, dtype=np.int64)

    def cells(self, votes: ExportedVotes) -> Cells:
        """The votes in the frame; there is at most one per participant and statement."""
        key, vote = self.keys(votes), votes.vote
        if not bool(np.all(key[1:] > key[:-1])):
            order = np.argsort(key, kind="stable")
            key, vote = key[order], vote[order]
        return Cells(frame=self, key=key, vote=vote)

    def dense(self, key: Ints, values: Any, kind: type[Any]) -> NDArray[Any]:
        """[P, S]: values in their cells, zero elsewhere."""
        found = np.zeros((len(self.participant_ids), len(self.statement_ids)), dtype=kind)
        found.ravel()[key] = values
        return found


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Votes by cell, ascending; of events, several in a cell, when they are only counted. Arrays [votes]."""

    frame: Frame
    key: Ints
    """row * S + column."""
    vote: NDArray[np.int8]

    def per_participant(self, vote: int | None = None) -> Ints:
        """[P]: votes of each participant, of one kind or all."""
        return np.bincount(self._of(vote) // len(self.frame.statement_ids), minlength=len(self.frame.participant_ids))

    def per_statement(self, vote: int | None = None) -> Ints:
        """[S]: votes on each statement, of one kind or all."""
        return np.bincount(self._of(vote) % len(self.frame.statement_ids), minlength=len(self.frame.statement_ids))

    def times(self, sign: int) -> Cells:
        """With every vote multiplied by +1 or -1."""
        return replace(self, vote=(self.vote * sign).astype(np.int8))

    def _of(self, vote: int | None) -> Ints:
        return self.key if vote is None else self.key[self.vote == vote]


def distinct(ids: Ints) -> Ints:
    """The ids that occur, ascending. Counting is several times as fast as sorting where ids are small."""
    if len(ids) and int(ids.max()) < 8 * len(ids) + 1000:
        return np.flatnonzero(np.bincount(ids))
    return np.unique(ids)


def among(wanted: Ints, keys: Ints) -> Bools:
    """Which of `wanted` are in `keys`, which ascend."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=bool)
    return np.asarray(keys[np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)] == wanted)
