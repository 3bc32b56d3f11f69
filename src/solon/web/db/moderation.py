"""Decisions on statements, and what waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from solon.report.public.language import mark
from solon.web.db.audit import name_of
from solon.web.db.tables import Action, Conversation, Decision, Member, Statement
from solon.web.troubles import Trouble


class Decided(NamedTuple):
    """A decision and what it is on."""

    decision: Decision
    statement: Statement


def waiting(db: Session, talk: Conversation, member: Member) -> Sequence[int]:
    """Numbers of what this member can decide on, oldest first: new statements, and those that somebody else decided on
    first."""
    query = select(Statement.number).where(_open(talk), ~_decided_last_by(member)).order_by(Statement.number)
    return db.scalars(query).all()


def waiting_for_others(db: Session, talk: Conversation, member: Member) -> int:
    """How many wait for somebody else to look at what this member decided."""
    return db.scalar(select(func.count()).select_from(Statement).where(_open(talk), _decided_last_by(member))) or 0


def history(db: Session, statement: Statement) -> Sequence[Decision]:
    """Decisions on a statement, oldest first."""
    return db.scalars(select(Decision).filter_by(statement_id=statement.id).order_by(Decision.id)).all()


def decisions(db: Session, talk: Conversation) -> Sequence[Decided]:
    """All of a conversation, newest first."""
    query = (
        select(Decision, Statement)
        .join(Statement, Decision.statement_id == Statement.id)
        .where(Statement.conversation_id == talk.id)
        .order_by(Decision.id.desc())
    )
    return [Decided(decision, statement) for decision, statement in db.execute(query)]


def removed(db: Session, talk: Conversation) -> Sequence[Decided]:
    """Rejected statements, each with the decision that it was last rejected by, by number."""
    rejecting = Decision.action.in_((Action.REJECT, Action.REWRITE))
    last = select(func.max(Decision.id)).where(rejecting).group_by(Decision.statement_id)
    query = (
        select(Decision, Statement)
        .join(Statement, Decision.statement_id == Statement.id)
        .where(Statement.conversation_id == talk.id, Statement.moderated == -1, ~Statement.withdrawn)
        .where(Decision.id.in_(last))
        .order_by(Statement.number)
    )
    return [Decided(decision, statement) for decision, statement in db.execute(query)]


def decide(
    db: Session, talk: Conversation, statement: Statement, member: Member, action: Action, criterion: str, reason: str
) -> None:
    """Accept it, reject it, or put another in its place (`criterion`: `#` and its number), which rejects it, too.

    The first rejection hides a statement at once; a second look of somebody else makes it stand.
    Raises `Trouble` where somebody would confirm their own rejection; they may take it back.
    """
    last = next((one for one in reversed(history(db, statement)) if one.member_id is not None), None)
    is_second = last is not None and statement.open
    is_own = last is not None and last.member_id == member.id
    if is_second and is_own and action is not Action.ACCEPT:
        raise Trouble(409, mark("Somebody else has to look at this"), mark("You decided on this statement before."))
    _record(db, statement, action, criterion, reason, member)
    statement.moderated = 1 if action is Action.ACCEPT else -1
    statement.open = action is not Action.ACCEPT and talk.second_look and not is_second


def appeal(db: Session, statement: Statement, reason: str) -> None:
    """Its author asks for another look, once; the log says no more. Raises `Trouble` where that cannot be."""
    asked = any(one.action == Action.APPEAL for one in history(db, statement))
    if statement.moderated != -1 or statement.open or asked:
        raise Trouble(
            409, mark("Another look cannot be asked for now"), mark("It was asked for before, or is under way.")
        )
    _record(db, statement, Action.APPEAL, "", "", None)
    statement.appeal, statement.open = reason, True


def _record(
    db: Session, statement: Statement, action: Action, criterion: str, reason: str, member: Member | None
) -> None:
    actor, number = ("author", None) if member is None else (name_of(member), member.id)
    told = {"action": action.value, "criterion": criterion, "reason": reason}
    db.add(Decision(statement_id=statement.id, member_id=number, actor=actor, **told))


def _open(talk: Conversation) -> ColumnElement[bool]:
    return (Statement.conversation_id == talk.id) & Statement.open & ~Statement.withdrawn


def _decided_last_by(member: Member) -> ColumnElement[bool]:
    of_members = select(Decision.member_id).where(
        Decision.statement_id == Statement.id, Decision.member_id.is_not(None)
    )
    last = of_members.order_by(Decision.id.desc()).limit(1).scalar_subquery()
    return func.coalesce(last, 0) == member.id
