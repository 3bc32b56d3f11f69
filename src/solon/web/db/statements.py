"""Statements: written, shown, found again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from solon.web.db.conversations import lock
from solon.web.db.tables import Conversation, Participant, Standing, Statement


def visible(talk: Conversation) -> ColumnElement[bool]:
    """Statements that people may vote on."""
    shown = Statement.moderated == 1 if talk.strict else Statement.moderated != -1
    return (Statement.conversation_id == talk.id) & ~Statement.withdrawn & shown


def add_statement(
    db: Session,
    talk: Conversation,
    text: str,
    *,
    author: Participant | None = None,
    moderated: int = 0,
    instead_of: Statement | None = None,
) -> Statement:
    """With the next number. Without an author it is the organisers', or whose thought it says in better words."""
    lock(db, talk)
    last = db.scalar(select(func.max(Statement.number)).where(Statement.conversation_id == talk.id))
    statement = Statement(
        conversation_id=talk.id,
        number=0 if last is None else last + 1,
        text=text,
        author_id=author.id if author else None,
        is_seed=instead_of.is_seed if instead_of else author is None,
        moderated=moderated,
        open=moderated == 0,
        rewritten_from=instead_of.number if instead_of else None,
    )
    db.add(statement)
    db.flush()
    return statement


def by_number(db: Session, talk: Conversation, number: int, *, alone: bool = False) -> Statement | None:
    """alone: until this transaction ends, nobody else decides on it; votes go on."""
    query = select(Statement).filter_by(conversation_id=talk.id, number=number)
    return db.scalar(query.with_for_update(key_share=True) if alone else query)


def all_statements(db: Session, talk: Conversation) -> Sequence[Statement]:
    """Those not withdrawn, by number."""
    query = select(Statement).where(Statement.conversation_id == talk.id, ~Statement.withdrawn)
    return db.scalars(query.order_by(Statement.number)).all()


def visible_numbers(db: Session, talk: Conversation) -> set[int]:
    """Of the statements that people may see now."""
    return set(db.scalars(select(Statement.number).where(visible(talk))))


def in_better_words(db: Session, talk: Conversation) -> dict[int, Statement]:
    """By the number of what they replace; none that was rejected itself."""
    told = all_statements(db, talk)
    return {one.rewritten_from: one for one in told if one.rewritten_from is not None and one.moderated == 1}


def written_by(db: Session, participant: Participant) -> Sequence[Statement]:
    return db.scalars(select(Statement).where(Statement.author_id == participant.id, ~Statement.withdrawn)).all()


def all_by(db: Session, participant: Participant) -> Sequence[Statement]:
    """As `written_by`, with those that nobody sees since their author was removed."""
    return db.scalars(select(Statement).where(Statement.author_id == participant.id, Statement.text != "")).all()


class Candidate(NamedTuple):
    """What a draw needs to know of a statement: there may be thousands."""

    id: int
    number: int
    is_seed: bool


def unvoted(db: Session, talk: Conversation, participant: Participant) -> list[Candidate]:
    """What somebody may still vote on, by number."""
    voted = select(Standing.statement_id).where(Standing.participant_id == participant.id)
    query = select(Statement.id, Statement.number, Statement.is_seed).where(visible(talk), Statement.id.not_in(voted))
    return [Candidate(*row) for row in db.execute(query.order_by(Statement.number))]


def progress(db: Session, talk: Conversation, participant: Participant) -> tuple[int, int]:
    """How many statements somebody voted on, and how many there are to vote on."""
    standing = select(Standing.statement_id).where(Standing.participant_id == participant.id)
    query = select(func.count().filter(Statement.id.in_(standing)), func.count()).where(visible(talk))
    voted, total = db.execute(query).one()
    return voted, total
