"""People whom a moderator removed from a conversation: everything of theirs stays, and nothing of it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, desc, func, select, update
from sqlalchemy.orm import Session

from solon.report.public.language import mark
from solon.web.db import principles
from solon.web.db.audit import name_of
from solon.web.db.conversations import lock
from solon.web.db.tables import Conversation, Member, Participant, Removal, Stage, Standing, Statement
from solon.web.troubles import Trouble


class Person(NamedTuple):
    """A participant and how much is of them."""

    participant: Participant
    votes: int
    statements: int
    """With those that were rejected, without those that they took back."""


class Removed(NamedTuple):
    """Somebody who is removed now, and the decision that it comes from."""

    person: Person
    last: Removal


def people(db: Session, talk: Conversation, most: int) -> list[Person]:
    """Those who take part or are removed: whoever wrote most first, then whoever voted most."""
    query = _people(talk).order_by(desc("statements"), desc("votes"), Participant.id)
    return [_person(row) for row in db.execute(query.limit(most))]


def person(db: Session, talk: Conversation, number: int) -> Person | None:
    """None: nobody takes part by this number, or they had everything deleted."""
    found = db.execute(_people(talk).where(Participant.number == number)).first()
    return _person(found) if found else None


def history(db: Session, participant: Participant) -> Sequence[Removal]:
    """Oldest first."""
    own = {"conversation_id": participant.conversation_id, "number": participant.number}
    return db.scalars(select(Removal).filter_by(**own).order_by(Removal.id)).all()


def removed(db: Session, talk: Conversation) -> list[Removed]:
    """In the order in which they were removed."""
    last = select(func.max(Removal.id)).where(Removal.conversation_id == talk.id).group_by(Removal.number)
    of_number = {one.number: one for one in db.scalars(select(Removal).where(Removal.id.in_(last)))}
    found = [_person(row) for row in db.execute(_people(talk).where(Participant.state == Stage.REMOVED))]
    told = (Removed(one, of_number[one.participant.number]) for one in found)
    return sorted(told, key=lambda one: one.last.id)


def ids(talk: Conversation) -> Select[int]:
    """Rows of those who are removed."""
    return select(Participant.id).where(Participant.conversation_id == talk.id, Participant.state == Stage.REMOVED)


def remove(db: Session, talk: Conversation, participant: Participant, member: Member, reason: str) -> None:
    """Their votes and statements count no more from now on. Raises `Trouble` where that was decided already."""
    _change(db, talk, participant, Stage.IN, Stage.REMOVED)
    _record(db, participant, member, reason, removed=True)
    own = Statement.author_id == participant.id
    principles.forget(db, talk.id, db.scalars(select(Statement.number).where(own)).all())
    db.execute(update(Statement).where(own).values(withdrawn=True))


def let_in(db: Session, talk: Conversation, participant: Participant, member: Member, reason: str) -> None:
    """With all that was theirs, but for statements that they took back themselves."""
    _change(db, talk, participant, Stage.REMOVED, Stage.IN)
    _record(db, participant, member, reason, removed=False)
    db.execute(
        update(Statement).where(Statement.author_id == participant.id, Statement.text != "").values(withdrawn=False)
    )


def _change(db: Session, talk: Conversation, participant: Participant, before: Stage, after: Stage) -> None:
    lock(db, talk)  # nobody decides on their statements meanwhile
    db.refresh(participant)
    if participant.state != before:
        raise Trouble(409, mark("Somebody else decided meanwhile"), mark("Look at the person again."))
    participant.state = after


def _record(db: Session, participant: Participant, member: Member, reason: str, *, removed: bool) -> None:
    where = {"conversation_id": participant.conversation_id, "number": participant.number}
    db.add(Removal(**where, member_id=member.id, actor=name_of(member), removed=removed, reason=reason))


def _people(talk: Conversation) -> Select[*tuple[Any, ...]]:
    votes = select(Standing.participant_id.label("who"), func.count().label("n")).group_by(Standing.participant_id)
    written = select(Statement.author_id.label("who"), func.count().label("n")).where(Statement.text != "")
    cast, said = votes.subquery(), written.group_by(Statement.author_id).subquery()
    counts = {"votes": cast, "statements": said}
    return (
        select(Participant, *(func.coalesce(one.c.n, 0).label(name) for name, one in counts.items()))
        .outerjoin(cast, cast.c.who == Participant.id)
        .outerjoin(said, said.c.who == Participant.id)
        .where(Participant.conversation_id == talk.id, Participant.state.in_((Stage.IN, Stage.REMOVED)))
    )


def _person(row: Row[*tuple[Any, ...]]) -> Person:
    return Person(*row)
