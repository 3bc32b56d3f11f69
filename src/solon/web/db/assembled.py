"""A conversation of the database as `collective` knows conversations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from solon.collective import conversation as c
from solon.collective.conversation import Bools, Ints
from solon.web.db import removals
from solon.web.db.events import PERSON, STATEMENT, TAKEN_BACK, TIME, VOTE, Events, events_of, ranked
from solon.web.db.statements import all_statements
from solon.web.db.tables import Conversation, Decision, Removal, Statement

GONE = -1
"""The column of a statement that was withdrawn."""


def assembled(db: Session, talk: Conversation, events: Events | None = None) -> c.Conversation:
    """Everybody who voted, every statement that was not withdrawn, the votes that count and the events behind them.

    Nothing is told of those who were removed; nor of a vote that was taken back, neither it nor those of the same
    person on the same statement before.
    `events`: those of the conversation, if they are known.
    """
    statements, events = all_statements(db, talk), events or events_of(db, talk)
    column_R = np.full(1 + max(events.statements, default=0), GONE)
    column_R[[one.id for one in statements]] = np.arange(len(statements))
    removed_E = np.isin(events.votes_E5[:, PERSON], db.scalars(removals.ids(talk)).all())
    counts_E = (column_R[events.votes_E5[:, STATEMENT]] != GONE) & _standing(events.votes_E5) & ~removed_E
    votes_E5 = events.votes_E5 if counts_E.all() else events.votes_E5[counts_E]
    people, row_E = ranked(events.numbers, votes_E5[:, PERSON])
    column_E, vote_E = column_R[votes_E5[:, STATEMENT]], votes_E5[:, VOTE].astype(np.int8)
    cell_E = row_E * len(statements) + column_E
    votes_PS = np.zeros((len(people), len(statements)), dtype=np.int8)
    seen_PS = np.zeros(votes_PS.shape, dtype=bool)
    votes_PS.ravel()[cell_E] = vote_E  # of several the last; by time it need not be: of an import it may have none
    seen_PS.ravel()[cell_E] = True
    number_S = np.array([one.number for one in statements], dtype=np.int64)
    return c.Conversation(
        statements=_statements(statements, events),
        participants=tuple(c.Participant(id=number) for number in people.tolist()),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        log=_log(people[row_E], number_S[column_E], vote_E, votes_E5[:, TIME]),
        topic=talk.topic,
        description=talk.description,
        source=f"conversation {talk.slug}",
        strict_moderation=talk.strict,
    )


def _statements(statements: Sequence[Statement], events: Events) -> tuple[c.Statement, ...]:
    return tuple(
        c.Statement(
            id=one.number,
            text=one.text,
            author=None if one.author_id is None else events.numbers.get(one.author_id),
            moderated=one.moderated,
            is_seed=one.is_seed,
            is_meta=one.is_meta,
            created=one.created or None,
        )
        for one in statements
    )


def _log(person_E: Ints, statement_E: Ints, vote_E: NDArray[np.int8], time_E: Ints) -> c.VoteLog | None:
    """Votes by time. Those of an import may have none, and are in no log; None: no vote has one."""
    timed_E = time_E != c.NO_TIME
    if len(timed_E) and not timed_E.any():
        return None
    by_time_N = np.flatnonzero(timed_E)[np.argsort(time_E[timed_E], kind="stable")]
    return c.VoteLog(participant=person_E, statement=statement_E, vote=vote_E, time=time_E).take(by_time_N)


def _standing(votes_E5: Ints) -> Bools:
    """[E]: True for votes after which the same person took none back on the same statement."""
    back_E = votes_E5[:, VOTE] == TAKEN_BACK
    stands_E: Bools = ~back_E
    cell_E = votes_E5[:, PERSON] * (1 + int(votes_E5[:, STATEMENT].max(initial=0))) + votes_E5[:, STATEMENT]
    at_N = np.flatnonzero(np.isin(cell_E, cell_E[back_E]))
    at_N = at_N[np.argsort(cell_E[at_N], kind="stable")]
    taken_N = np.cumsum(back_E[at_N])
    ends_N = np.searchsorted(cell_E[at_N], cell_E[at_N], side="right") - 1
    stands_E[at_N] &= taken_N == taken_N[ends_N]
    return stands_E


def version(db: Session, talk: Conversation) -> tuple[object, ...]:
    """Differs whenever statements, or what is said of the conversation, may differ; votes are told by their events."""
    own = Statement.conversation_id == talk.id
    statements = select(func.count(), func.sum(Statement.moderated), func.count().filter(Statement.withdrawn)).where(
        own
    )
    decisions = select(func.max(Decision.id)).join(Statement, Decision.statement_id == Statement.id).where(own)
    removed = select(func.max(Removal.id)).where(Removal.conversation_id == talk.id)
    counted = [value for query in (statements, decisions, removed) for value in db.execute(query).one()]
    return (
        *counted,
        talk.topic,
        talk.description,
        talk.organiser,
        talk.language,
        talk.population,
        talk.strict,
        talk.state,
    )
