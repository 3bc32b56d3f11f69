"""Participants: joining, answering questions about themselves, leaving."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from solon.collective.people.population import Population
from solon.collective.people.quotas import has_seat, is_outside
from solon.web.db import principles
from solon.web.db.conversations import lock
from solon.web.db.once import insert_once
from solon.web.db.tables import Answer, Conversation, Invitation, Participant, Stage, Statement, now


def participant_of(db: Session, talk: Conversation, browser: str) -> Participant | None:
    return db.scalar(select(Participant).filter_by(conversation_id=talk.id, browser=browser))


def join(db: Session, talk: Conversation, browser: str, stage: Stage) -> None:
    """A participant with a random number, unless this browser is one already."""
    while participant_of(db, talk, browser) is None:
        number = secrets.randbelow(2**31)
        insert_once(db, Participant, conversation_id=talk.id, number=number, browser=browser, state=stage, joined=now())


def answers(db: Session, talk: Conversation) -> dict[int, dict[str, str]]:
    """What everybody who takes part answered, by the number of the participant."""
    here = (Participant.conversation_id == talk.id) & (Participant.state == Stage.IN)
    query = select(Participant.number, Answer.question, Answer.answer).outerjoin(Answer).where(here)
    found: dict[int, dict[str, str]] = {}
    for number, question, answer in db.execute(query.order_by(Participant.id)):
        found.setdefault(number, {}).update({} if question is None else {question: answer})
    return found


def take_seat(
    db: Session, talk: Conversation, participant: Participant, population: Population, given: Mapping[str, str]
) -> Stage:
    """Whether somebody with these answers may take part. Of two who come for the last seat at once, one gets it.

    Answers are kept of those who take part, and of nobody else. Whoever has answered before stays where they are.
    """
    lock(db, talk)
    db.refresh(participant)
    if participant.state != Stage.ASKED:
        return Stage(participant.state)
    stage = Stage.IN
    if is_outside(population, given):
        stage = Stage.OUTSIDE
    elif not has_seat(population, answers(db, talk).values(), given):
        stage = Stage.FULL
    participant.state = stage
    if stage is Stage.IN:
        db.add_all(Answer(participant_id=participant.id, question=key, answer=one) for key, one in given.items())
    return stage


def let_go(participant: Participant) -> None:
    """Somebody goes and lets their votes stand: nothing leads from them to a browser any more."""
    participant.browser = None


def forget(db: Session, participant: Participant, *, keep_statements: bool) -> None:
    """Everything that somebody gave is deleted: votes, answers, what they were shown, and that they were there.

    Their statements stay without an author, or their texts go too, as those of somebody who was removed always do.
    """
    keep_statements &= participant.state != Stage.REMOVED
    gone = {} if keep_statements else {"text": "", "withdrawn": True, "open": False}
    if not keep_statements:
        own = select(Statement.number).where(Statement.author_id == participant.id)
        principles.forget(db, participant.conversation_id, db.scalars(own).all())
    db.execute(update(Statement).where(Statement.author_id == participant.id).values(appeal="", **gone))
    db.execute(delete(Participant).where(Participant.id == participant.id))


def invite(db: Session, talk: Conversation, hashes: list[str]) -> None:
    db.add_all(Invitation(conversation_id=talk.id, hash=one) for one in hashes)


class Invited(NamedTuple):
    """What an invitation leads to."""

    talk: Conversation
    used: bool


def invited_to(db: Session, hash: str) -> Invited | None:
    """None: there is no such invitation."""
    query = select(Conversation, Invitation.used).join(Invitation).where(Invitation.hash == hash)
    found = db.execute(query).first()
    return Invited(*found) if found else None


def use_invitation(db: Session, talk: Conversation, hash: str) -> bool:
    """Was it good, and is it used up now? Of two who use it at once, one succeeds."""
    own = update(Invitation).where(Invitation.hash == hash, Invitation.conversation_id == talk.id, ~Invitation.used)
    return db.scalar(own.values(used=True).returning(Invitation.id)) is not None


def invitations(db: Session, talk: Conversation) -> tuple[int, int]:
    """How many there are, and how many were used."""
    query = select(func.count(), func.count().filter(Invitation.used)).where(Invitation.conversation_id == talk.id)
    made, used = db.execute(query).one()
    return made, used


def stages(db: Session, talk: Conversation) -> dict[str, int]:
    """How many participants there are in each."""
    query = select(Participant.state, func.count()).where(Participant.conversation_id == talk.id)
    return dict(db.execute(query.group_by(Participant.state)).all())
