"""Votes as positions in the matrix of participants and statements, kept sparse."""

from __future__ import annotations

from dataclasses import dataclass

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

    def statement_index(self, votes: ExportedVotes) -> Ints:
        """The column of each vote."""
        return np.asarray(np.searchsorted(self.statement_ids, votes.statement), dtype=np.int64)

    def keys(self, votes: ExportedVotes) -> Ints:
        """row * S + column of each vote."""
        row = np.searchsorted(self.participant_ids, votes.participant)
        return np.asarray(row * len(self.statement_ids) + self.statement_index(votes), dtype=np.int64)

    def cells(self, votes: ExportedVotes) -> Cells:
        """The votes in the frame; there is at most one per participant and statement."""
        key, vote = self.keys(votes), votes.vote
        if not bool(np.all(key[1:] > key[:-1])):
            order = np.argsort(key, kind="stable")
            key, vote = key[order], vote[order]
        return Cells(frame=self, key=key, vote=vote)


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Votes by cell, ascending. Arrays [votes]."""

    frame: Frame
    key: Ints
    """row * S + column."""
    vote: NDArray[np.int8]

    @property
    def row(self) -> Ints:
        return self.key // len(self.frame.statement_ids)

    @property
    def column(self) -> Ints:
        return self.key % len(self.frame.statement_ids)

    def per_participant(self, vote: int | None = None) -> Ints:
        """[P]: votes of each participant, of one kind or all."""
        chosen = self.row if vote is None else self.row[self.vote == vote]
        return np.bincount(chosen, minlength=len(self.frame.participant_ids))

    def per_statement(self, vote: int | None = None) -> Ints:
        """[S]: votes on each statement, of one kind or all."""
        chosen = self.column if vote is None else self.column[self.vote == vote]
        return np.bincount(chosen, minlength=len(self.frame.statement_ids))

    def times(self, sign: int) -> Cells:
        """With every vote multiplied by +1 or -1."""
        return Cells(frame=self.frame, key=self.key, vote=(self.vote * sign).astype(np.int8))


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


def union(one: Ints, other: Ints) -> Ints:
    """What is in one or the other, ascending. Both ascend, so that sorting is merging."""
    merged = np.sort(np.concatenate([one, other]), kind="stable")
    return np.asarray(merged[np.diff(merged, prepend=-1) != 0])
