"""Conversations and the roles of members in them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from solon.web.db import arenas
from solon.web.db.once import put
from solon.web.db.tables import (
    Conversation,
    Kind,
    Member,
    Membership,
    Participant,
    Role,
    Stage,
    Standing,
    State,
    Statement,
)


def by_slug(db: Session, slug: str) -> Conversation | None:
    return db.scalar(select(Conversation).where(Conversation.slug == slug))


def new_conversation(db: Session, **values: Any) -> Conversation:
    talk = Conversation(slug=secrets.token_hex(8), seed=secrets.randbits(63), **values)
    db.add(talk)
    db.flush()
    return talk


def seen_by(db: Session, member: Member | None) -> Sequence[Conversation]:
    """Those that the front page names: open and listed ones, and those that a member helps to run."""
    newest = select(Conversation).order_by(Conversation.created.desc(), Conversation.id.desc())
    if member is not None and member.owner:
        return db.scalars(newest).all()
    shown = Conversation.listed & (Conversation.state != State.DRAFT)
    if member is not None:
        own = select(Membership.conversation_id).where(Membership.member_id == member.id)
        shown |= Conversation.id.in_(own)
    return db.scalars(newest.where(shown)).all()


def lock(db: Session, talk: Conversation) -> None:
    """Until this transaction ends, no other one gives away a seat or a number of this conversation."""
    db.execute(select(Conversation.id).where(Conversation.id == talk.id).with_for_update())


def role_of(db: Session, member: Member, talk: Conversation) -> Role | None:
    if member.owner:
        return Role.ORGANISER
    found = db.get(Membership, (member.id, talk.id))
    return Role(found.role) if found else None


def roles(db: Session, talk: Conversation) -> dict[int, Role]:
    """By member."""
    found = db.scalars(select(Membership).where(Membership.conversation_id == talk.id))
    return {one.member_id: Role(one.role) for one in found}


def set_role(db: Session, member: Member, talk: Conversation, role: Role | None) -> None:
    key = {"member_id": member.id, "conversation_id": talk.id}
    if role is None:
        db.execute(delete(Membership).filter_by(**key))
    else:
        put(db, Membership, key, role=role.value)


def counted(db: Session, talk: Conversation) -> tuple[int, int, int]:
    """People who voted, statements or prompts, votes that stand."""
    if talk.kind == Kind.ARENA:
        return arenas.counted(db, talk)
    own = (Statement.conversation_id == talk.id) & ~Statement.withdrawn & (Participant.state != Stage.REMOVED)
    votes = select(Standing.participant_id).join(Statement).join_from(Standing, Participant).where(own).subquery()
    people, cast = db.execute(select(func.count(votes.c.participant_id.distinct()), func.count())).one()
    alive = select(func.count()).where(Statement.conversation_id == talk.id, ~Statement.withdrawn)
    return people, db.scalar(alive) or 0, cast
