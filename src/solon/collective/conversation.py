"""A conversation: who said what, and who voted how. Everything in `collective` works on this.

Shapes: P participants, S statements. Rows and columns are sorted by id, so the order of an export never shows.

Votes are +1 agree, -1 disagree, 0 pass, here and in every file this package writes. Polis stores the opposite sign and
its exports differ among themselves; whatever reads one turns it round and says so (`reading`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainSerializer, PlainValidator

from solon.records import Record

AGREE, PASS, DISAGREE = 1, 0, -1
NO_TIME = 0
"""Of an event when nobody knows when it was."""
VOTE_SIGN = "+1 agree, -1 disagree, 0 pass"

Ints = NDArray[np.int64]
IntsInFiles = Annotated[
    Ints, PlainValidator(lambda found: np.array(found, dtype=np.int64)), PlainSerializer(lambda ints: ints.tolist())
]
"""The same in what goes into a file: a list of numbers."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Statement(Record):
    """One statement. Its text is untrusted wherever it is shown."""

    id: int
    text: str
    author: int | None = None
    """Id of the participant who wrote it; None: unknown."""
    moderated: int = 0
    """1 accepted, -1 rejected, 0 never moderated."""
    is_seed: bool | None = None
    """Written by the organisers; None: the export does not say."""
    is_meta: bool = False
    """About the conversation itself, not its subject."""
    created: int | None = None
    """Milliseconds since 1970, UTC."""
    importance_votes: int | None = None
    """How many people marked it as important: those of the conversation where `important_PS` says who did, else as the
    export counts them. None: the export does not say."""


class Participant(Record):
    """One participant: an id without meaning outside the conversation."""

    id: int
    exported_group: str | None = None
    """The opinion group the export puts them in, as it names it."""
    xid: str | None = None
    """Who they are where they were recruited, such as in a panel: for the organiser alone, and in no export."""


@dataclass(frozen=True, kw_only=True)
class VoteLog:
    """Every vote event in order of time, re-votes included. All arrays [events]."""

    participant: Ints
    statement: Ints
    vote: NDArray[np.int8]
    time: Ints
    """Milliseconds since 1970, UTC."""
    important: Bools | None = None
    """Whether the voter marked the statement as important with that vote; None: the export does not say."""

    def take(self, chosen: NDArray[np.intp] | Bools) -> VoteLog:
        """Some of the events, by index or mask."""
        return replace(self, **{name: column[chosen] for name, column in vars(self).items() if column is not None})


@dataclass(frozen=True, kw_only=True)
class Conversation:
    """Statements, participants and the latest vote of each on each."""

    statements: tuple[Statement, ...]
    participants: tuple[Participant, ...]
    """Both sorted by id."""
    votes_PS: NDArray[np.int8]
    """The latest vote; 0 where none was cast, which `seen_PS` tells from a pass."""
    seen_PS: Bools
    """True: the participant voted on the statement (agree, disagree or pass)."""
    important_PS: Bools | None = None
    """True: with their latest vote the participant marked the statement as important, whether they agree with it or
    not. None: the export does not say."""
    log: VoteLog | None = None
    """None: the export has only the latest votes."""
    topic: str = ""
    description: str = ""
    source: str = ""
    """Where it was imported from."""
    strict_moderation: bool | None = None
    """True: people saw accepted statements alone. False: all that were not rejected. None: the export does not say."""

    def __post_init__(self) -> None:
        shape = (len(self.participants), len(self.statements))
        assert self.votes_PS.shape == self.seen_PS.shape == shape, "one row per participant, one column per statement"
        assert self.important_PS is None or self.important_PS.shape == shape, "as votes_PS"
        for ids in (self.participant_ids, self.statement_ids):
            assert bool(np.all(np.diff(ids) > 0)), "sorted by id, each once"

    @property
    def participant_ids(self) -> Ints:
        """[P], ascending."""
        return ids_of(self.participants)

    @property
    def statement_ids(self) -> Ints:
        """[S], ascending."""
        return ids_of(self.statements)

    @property
    def n_votes_P(self) -> Ints:
        """Statements each participant voted on, rejected ones included."""
        return np.asarray(self.seen_PS.sum(axis=1), dtype=np.int64)

    def events(self) -> VoteLog:
        """What the log has, and behind it the vote of every cell that does not end with the one that counts there.

        An export may have a vote in its table that its list of votes lacks; when it was cast is not known (`NO_TIME`).
        So is the vote of every cell without a log. The last event of each cell is its vote.
        """
        missing_PS = self.seen_PS.copy()
        if self.log is not None:
            row = np.searchsorted(self.participant_ids, self.log.participant)
            column = np.searchsorted(self.statement_ids, self.log.statement)
            last_PS = np.zeros_like(self.votes_PS)
            last_PS[row, column] = self.log.vote
            logged_PS = np.zeros_like(self.seen_PS)
            logged_PS[row, column] = True
            missing_PS &= ~logged_PS | (last_PS != self.votes_PS)
        rows, columns = np.nonzero(missing_PS)
        untimed = VoteLog(
            participant=self.participant_ids[rows],
            statement=self.statement_ids[columns],
            vote=self.votes_PS[rows, columns],
            time=np.full(len(rows), NO_TIME, dtype=np.int64),
        )
        if self.log is None:
            return untimed
        both = {name: (getattr(self.log, name), one) for name, one in vars(untimed).items() if one is not None}
        return VoteLog(**{name: np.concatenate(columns) for name, columns in both.items()})

    def select(self, *, participants: Bools | None = None, statements: Bools | None = None) -> Conversation:
        """The conversation of some participants and some statements (True: kept). The log keeps their events alone."""
        rows = np.ones(len(self.participants), dtype=bool) if participants is None else participants
        columns = np.ones(len(self.statements), dtype=bool) if statements is None else statements
        log = self.log
        if log is not None:
            kept = np.isin(log.participant, self.participant_ids[rows])
            log = log.take(kept & np.isin(log.statement, self.statement_ids[columns]))
        return replace(
            self,
            participants=tuple(compress(self.participants, rows)),
            statements=tuple(compress(self.statements, columns)),
            votes_PS=self.votes_PS[np.ix_(rows, columns)],
            seen_PS=self.seen_PS[np.ix_(rows, columns)],
            important_PS=None if self.important_PS is None else self.important_PS[np.ix_(rows, columns)],
            log=log,
        ).counted()

    def counted(self) -> Conversation:
        """With the importance votes of each statement as `important_PS` has them, if there is one."""
        if self.important_PS is None:
            return self
        counted = zip(self.statements, self.important_PS.sum(axis=0).tolist(), strict=True)
        statements = tuple(one.model_copy(update={"importance_votes": count}) for one, count in counted)
        return replace(self, statements=statements)


def ids_of(records: Sequence[Statement | Participant]) -> Ints:
    """Their ids, in the same order."""
    return np.array([one.id for one in records], dtype=np.int64)
