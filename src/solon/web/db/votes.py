"""Votes: every one is a row that stays, and one of each person on each statement counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from solon.web.db.once import insert_once, put
from solon.web.db.tables import Participant, Showing, Standing, Statement, Vote, now


class Cast(NamedTuple):
    """A vote that counts, and what it is on."""

    statement: Statement
    vote: int


def cast(db: Session, participant: Participant, statement: Statement, vote: int | None, token: str) -> bool:
    """Vote, change a vote, or take it back (None). A form that is sent again changes nothing: False.

    token: of the form.
    """
    who = {"participant_id": participant.id, "statement_id": statement.id}
    before = db.scalar(select(func.max(Vote.time)).filter_by(**who)) or 0
    event = insert_once(db, Vote, **who, vote=vote, time=max(now(), before + 1), token=token)
    if event is None:
        return False
    if vote is None:
        db.execute(delete(Standing).filter_by(**who))
    else:
        put(db, Standing, who, vote=vote, vote_id=event)
    db.execute(update(Showing).filter_by(**who).values(answered=True))
    return True


def own_votes(db: Session, participant: Participant) -> Sequence[Cast]:
    """Somebody's own votes that count, newest first."""
    query = (
        select(Statement, Standing.vote)
        .join(Standing, Standing.statement_id == Statement.id)
        .where(Standing.participant_id == participant.id, ~Statement.withdrawn)
        .order_by(Standing.vote_id.desc())
    )
    return [Cast(statement, vote) for statement, vote in db.execute(query)]


def last_vote(db: Session, participant: Participant) -> Cast | None:
    """The newest, unless it was taken back."""
    newest = select(func.max(Vote.id)).where(Vote.participant_id == participant.id).scalar_subquery()
    query = (
        select(Statement, Standing.vote)
        .join(Standing, Standing.statement_id == Statement.id)
        .where(Standing.participant_id == participant.id, Standing.vote_id == newest, ~Statement.withdrawn)
    )
    found = db.execute(query).first()
    return Cast(found[0], found[1]) if found else None


def has_voted(db: Session, participant: Participant, statement: Statement) -> bool:
    """Once, whether it counts still or was taken back: a form that is sent again finds its way."""
    query = select(Vote.id).filter_by(participant_id=participant.id, statement_id=statement.id).limit(1)
    return db.scalar(query) is not None and not statement.withdrawn
