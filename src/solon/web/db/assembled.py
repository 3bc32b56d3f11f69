"""A conversation of the database as `collective` knows conversations."""

from __future__ import annotations

from itertools import groupby

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from solon.collective import conversation as c
from solon.web.db.statements import all_statements
from solon.web.db.tables import Conversation, Decision, Participant, Showing, Statement, Vote


def assembled(db: Session, talk: Conversation) -> c.Conversation:
    """Everybody who voted, every statement that was not withdrawn, the votes that count and the events behind them.

    Of a vote that was taken back nothing is told, neither it nor those of the same person on the same statement before.
    """
    statements = all_statements(db, talk)
    everybody = select(Participant).where(Participant.conversation_id == talk.id)
    number_of = {row.id: row.number for row in db.scalars(everybody)}
    author_of = {row.id: number_of.get(row.author_id) for row in statements if row.author_id is not None}
    events = _events(db, talk)  # of one person on one statement, in their order: the last one counts
    people = sorted({number_of[person] for person, *_ in events})
    row = {number: at for at, number in enumerate(people)}
    column = {one.id: at for at, one in enumerate(statements)}
    votes_PS = np.zeros((len(people), len(statements)), dtype=np.int8)
    seen_PS = np.zeros(votes_PS.shape, dtype=bool)
    for person, statement, vote, *_ in events:
        at = row[number_of[person]], column[statement]
        votes_PS[at], seen_PS[at] = vote, True
    return c.Conversation(
        statements=tuple(
            c.Statement(
                id=one.number,
                text=one.text,
                author=author_of.get(one.id),
                moderated=one.moderated,
                is_seed=one.is_seed,
                is_meta=one.is_meta,
                created=one.created or None,
            )
            for one in statements
        ),
        participants=tuple(c.Participant(id=number) for number in people),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        log=_log(events, number_of, {one.id: one.number for one in statements}),
        topic=talk.topic,
        description=talk.description,
        source=f"conversation {talk.slug}",
        strict_moderation=talk.strict,
    )


Event = tuple[int, int, int, int, int]
"""Participant, statement, vote, time, and its own number; by their rows in the database."""


def _events(db: Session, talk: Conversation) -> list[Event]:
    """By person and statement, and then in the order in which they came (`votes.cast`)."""
    query = (
        select(Vote.participant_id, Vote.statement_id, Vote.vote, Vote.time, Vote.id)
        .join(Statement, Vote.statement_id == Statement.id)
        .where(Statement.conversation_id == talk.id, ~Statement.withdrawn)
        .order_by(Vote.participant_id, Vote.statement_id, Vote.id)
    )
    kept: list[Event] = []
    for _, cell in groupby(db.execute(query), key=lambda event: event[:2]):
        since: list[Event] = []
        for person, statement, vote, time, id in cell:
            since = [*since, (person, statement, vote, time, id)] if vote is not None else []
        kept += since
    return kept


def _log(events: list[Event], number_of: dict[int, int], statement_of: dict[int, int]) -> c.VoteLog | None:
    """Votes by time. Those of an import may have none, and are in no log; None: no vote has one."""
    timed = sorted((one for one in events if one[3] != c.NO_TIME), key=lambda one: one[3:])
    if events and not timed:
        return None
    events = timed
    return c.VoteLog(
        participant=np.array([number_of[one[0]] for one in events], dtype=np.int64),
        statement=np.array([statement_of[one[1]] for one in events], dtype=np.int64),
        vote=np.array([one[2] for one in events], dtype=np.int8),
        time=np.array([one[3] for one in events], dtype=np.int64),
    )


def version(db: Session, talk: Conversation) -> tuple[object, ...]:
    """Differs whenever `assembled`, what people were shown, or what is said of the conversation may differ."""
    own = Statement.conversation_id == talk.id
    statements = select(func.count(), func.sum(Statement.moderated), func.count().filter(Statement.withdrawn)).where(
        own
    )
    votes = select(func.count(), func.max(Vote.id)).join(Statement).where(own)
    showings = select(func.count(), func.max(Showing.id)).join(Statement).where(own)
    decisions = select(func.max(Decision.id)).join(Statement, Decision.statement_id == Statement.id).where(own)
    counted = [value for query in (statements, votes, showings, decisions) for value in db.execute(query).one()]
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
