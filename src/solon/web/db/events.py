"""What happened in a conversation, as arrays that grow: whoever asks again reads what is new alone.

Shapes: E votes, V showings; a row each, in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import func, literal, select
from sqlalchemy.orm import Session

from solon.collective.conversation import Bools, Ints
from solon.web.db.tables import Conversation, Participant, Showing, Statement, Vote

TAKEN_BACK = -9
"""In place of a vote."""
OVERLAP = 10_000
"""Newest rows that are read again each time: with PostgreSQL a row may appear after one with a higher id, by as long as
a transaction takes (assumption: never while so many others are committed)."""
ID, PERSON, STATEMENT, VOTE, TIME = range(5)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was shown to whom, however often."""

    people: Ints
    statements: Ints
    """Numbers, ascending, of those who were shown something, and of what was shown."""
    shown_MN: Bools
    """People and statements, in that order."""


@dataclass(frozen=True, kw_only=True)
class Events:
    """Of one conversation. Persons and statements by their rows in the database."""

    votes_E5: Ints = field(default_factory=lambda: np.zeros((0, 5), dtype=np.int64))
    """Id, person, statement, vote or `TAKEN_BACK`, time."""
    showings_V3: Ints = field(default_factory=lambda: np.zeros((0, 3), dtype=np.int64))
    """Id, person, statement."""
    numbers: Mapping[int, int] = field(default_factory=dict)
    """Of all participants, by their rows."""
    statements: Mapping[int, int] = field(default_factory=dict)
    """Numbers of all statements, likewise."""

    @property
    def version(self) -> tuple[int, ...]:
        """Differs where others happened."""
        return tuple(number for rows in (self.votes_E5, self.showings_V3) for number in (len(rows), *rows[-1:, ID]))

    def shown(self) -> Shown:
        """What was shown to whom."""
        people, row_V = ranked(self.numbers, self.showings_V3[:, PERSON])
        statements, column_V = ranked(self.statements, self.showings_V3[:, STATEMENT])
        shown_MN = np.zeros((len(people), len(statements)), dtype=bool)
        shown_MN[row_V, column_V] = True
        return Shown(people=people, statements=statements, shown_MN=shown_MN)


NOTHING = Events()


def events_of(db: Session, talk: Conversation, before: Events = NOTHING) -> Events:
    """All of them, if `before` holds those of an earlier moment. What people took along when they left is in none."""
    numbers = _numbers(db, talk, Participant)
    # A row may have been given to somebody else since: the number tells.
    gone = [row for row, number in before.numbers.items() if numbers.get(row) != number]
    vote = func.coalesce(Vote.vote, literal(TAKEN_BACK))
    return Events(
        votes_E5=_grown(db, talk, before.votes_E5, gone, Vote, vote, Vote.time),
        showings_V3=_grown(db, talk, before.showings_V3, gone, Showing),
        numbers=numbers,
        statements=_numbers(db, talk, Statement),
    )


def _grown(
    db: Session, talk: Conversation, known: Ints, gone: Sequence[int], table: type[Vote | Showing], *more: Any
) -> Ints:
    """The rows that are known, without those of people who are gone, and all that came since."""
    since = int(known[-1, ID]) - OVERLAP if len(known) else 0
    kept = known[(known[:, ID] <= since) & ~np.isin(known[:, PERSON], gone)]
    query = select(table.id, table.participant_id, table.statement_id, *more).join(Statement)
    new = db.execute(query.where(Statement.conversation_id == talk.id, table.id > since).order_by(table.id))
    array = np.fromiter(chain.from_iterable(new), dtype=np.int64).reshape(-1, known.shape[1])
    return np.concatenate([kept, array])


def ranked(numbers: Mapping[int, int], rows_N: Ints) -> tuple[Ints, Ints]:
    """The numbers of these rows, ascending, each once; and for each row the place of its number among them [N].

    As `np.unique` has them, but nothing is sorted that may be a million long. All rows are known.

    >>> ranked({1: 70, 2: 50, 3: 60}, np.array([3, 1, 3]))
    (array([60, 70]), array([0, 1, 0]))
    """
    there_R = np.zeros(1 + max(numbers, default=0), dtype=bool)
    there_R[rows_N] = True
    rows = sorted(np.flatnonzero(there_R).tolist(), key=lambda row: numbers[row])
    place_R = np.zeros(len(there_R), dtype=np.int64)
    place_R[rows] = np.arange(len(rows))
    return np.array([numbers[row] for row in rows], dtype=np.int64), np.asarray(place_R[rows_N])


def _numbers(db: Session, talk: Conversation, table: type[Participant] | type[Statement]) -> dict[int, int]:
    """Of the rows of a conversation."""
    query = select(table.id, table.number).where(table.conversation_id == talk.id)
    return {row: number for row, number in db.execute(query)}  # noqa: C416  # typed, unlike dict()
