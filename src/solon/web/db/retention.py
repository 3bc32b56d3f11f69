"""What a site need not keep any longer, deleted. Nothing here runs by itself."""

from __future__ import annotations

from sqlalchemy import CursorResult, Select, Update, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete

from solon.web.db.audit import record
from solon.web.db.members import AGAIN, DAY
from solon.web.db.tables import (
    Answer,
    Conversation,
    EntryLink,
    Invitation,
    Participant,
    SignIn,
    State,
    Statement,
    Vote,
    now,
)


def tidy(db: Session, days: int, *, answers: bool = False) -> dict[str, int]:
    """How much of each kind went: sign-ins and links that are over; and of conversations that are closed, in which
    nobody has voted for so many days, what leads from participants to their browsers, and invitations that nobody used.

    answers: what participants said of themselves, too.
    """
    moment = now()
    over = _over(moment - days * DAY)
    people = select(Participant.id).where(Participant.conversation_id.in_(over))
    used_up = or_(EntryLink.expires < moment, EntryLink.used < moment - AGAIN)
    kinds: dict[str, Update | Delete] = {
        "sign-ins": delete(SignIn).where(SignIn.expires < moment),
        "links": delete(EntryLink).where(used_up),
        "invitations": delete(Invitation).where(Invitation.conversation_id.in_(over), ~Invitation.used),
        "browsers": update(Participant)
        .where(Participant.conversation_id.in_(over), Participant.browser.is_not(None))
        .values(browser=None),
    }
    if answers:
        kinds["answers"] = delete(Answer).where(Answer.participant_id.in_(people))
    gone = {name: _changed(db, statement) for name, statement in kinds.items()}
    record(db, None, "tidied", days=days, **gone)
    return gone


def _over(since: int) -> Select[int]:
    """Conversations that are closed and older than that, with all their votes."""
    votes = select(func.max(Vote.time)).join(Statement).where(Statement.conversation_id == Conversation.id)
    last = func.coalesce(votes.scalar_subquery(), Conversation.created)
    return select(Conversation.id).where(Conversation.state == State.CLOSED, last < since)


def _changed(db: Session, statement: Update | Delete) -> int:
    found = db.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(found, CursorResult), "it changes rows"
    return found.rowcount
