"""An export as its files have it, nothing resolved, and votes as positions in a matrix that is kept sparse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Bools, Ints, Participant, Statement, VoteLog, ids_of
from solon.collective.reading.findings import Findings
from solon.errors import InputError, Where

MAX_PARTICIPANTS = 100_000
MAX_STATEMENTS = 10_000
"""Polis's own caps on what it analyses."""
MAX_ID = 2**31 - 1
"""Ids and counts are PostgreSQL integers."""
MIN_TIME, MAX_TIME = 946_684_800_000, 4_102_444_800_000
"""Milliseconds: the years 2000 to 2100. What lies outside is no date of a vote."""


class Layout(StrEnum):
    """The layouts that exports come in."""

    clojure = "Polis export"
    server_csv = "server export"
    server_json = "server JSON"


@dataclass(frozen=True, kw_only=True)
class ExportedVotes:
    """Votes of one file, in file order and in the file's own sign. All arrays [votes]."""

    path: Path
    participant: Ints
    statement: Ints
    vote: NDArray[np.int8]
    time: Ints | None
    """Milliseconds since 1970, UTC; None: the file has no times."""
    line: Ints
    important: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.vote)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> ExportedVotes:
        columns: dict[str, Any] = {name: one for name, one in vars(self).items() if isinstance(one, np.ndarray)}
        return replace(self, **{name: column[chosen] for name, column in columns.items()})

    def log(self) -> VoteLog | None:
        """The events of a conversation; None: they have no times."""
        if self.time is None:
            return None
        who, what = self.participant, self.statement
        return VoteLog(participant=who, statement=what, vote=self.vote, time=self.time, important=self.important)


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
    vote: NDArray[np.int8]

    def per_participant(self, vote: int | None = None) -> Ints:
        """[P]: votes of each participant, of one kind or all."""
        return np.bincount(self._of(vote) // len(self.frame.statement_ids), minlength=len(self.frame.participant_ids))

    def per_statement(self, vote: int | None = None) -> Ints:
        """[S]: votes on each statement, of one kind or all."""
        return np.bincount(self._of(vote) % len(self.frame.statement_ids), minlength=len(self.frame.statement_ids))

    def times(self, sign: int) -> Cells:
        return replace(self, vote=(self.vote * sign).astype(np.int8))

    def _of(self, vote: int | None) -> Ints:
        return self.key if vote is None else self.key[self.vote == vote]


class About(NamedTuple):
    """What an export says of the conversation as a whole."""

    topic: str = ""
    description: str = ""
    strict_moderation: bool | None = None
    """Did people see accepted statements alone? None: not said."""
    totals: Mapping[str, int] = MappingProxyType({})
    """By the names of `summary.csv`."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What `participants-votes.csv` says: a row for each participant, a column for each statement, named by its id."""

    path: Path | None = None
    """None: the export has no such file."""
    participants: tuple[Participant, ...] = ()
    """By id; without the file those of whom the votes tell more than an id."""
    counts: dict[str, Ints] = field(default_factory=dict)
    """What is said of each: n-comments, n-votes, n-agree, n-disagree. -1: not said."""
    statements: frozenset[int] = frozenset()
    """Those that have a column."""
    votes: ExportedVotes | None = None


@dataclass(frozen=True, kw_only=True)
class Export:
    """All that an export says."""

    layout: Layout
    folder: Path
    findings: Findings
    statements: tuple[Statement, ...]
    statement_counts: dict[str, Ints] = field(default_factory=dict)
    """What is said of the votes on each: agrees, disagrees, passes, importance-votes. -1: not said."""
    comments_path: Path
    events: ExportedVotes | None = None
    """The votes one by one, re-votes included (`votes.csv`, `votes.json`)."""
    matrix: Matrix
    about: About

    @property
    def statement_ids(self) -> Ints:
        return ids_of(self.statements)

    @property
    def vote_files(self) -> tuple[str, ...]:
        """Names of the file of votes one by one, and of the matrix; empty: there is none."""
        return tuple("" if votes is None else votes.path.name for votes in (self.events, self.matrix.votes))


def check_size(participants: int, statements: int, folder: Path, most_cells: int | None = None) -> None:
    """Raises `InputError` beyond Polis's caps, and beyond `most_cells` of people times statements, if that is given."""
    sizes = (participants, MAX_PARTICIPANTS, "participants"), (statements, MAX_STATEMENTS, "statements")
    for count, most, what in sizes:
        if count > most:
            hint = "Polis has the same cap; check for ids of another kind, or split the conversation"
            raise InputError(f"{count:,} {what}; at most {most:,} can be analysed", where=Where(folder), hint=hint)
    if most_cells is not None and participants * statements > most_cells:
        what = f"{participants:,} participants times {statements:,} statements; at most {most_cells:,} can be read here"
        raise InputError(what, where=Where(folder), hint="use `solon collect import`, or split the conversation")


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
