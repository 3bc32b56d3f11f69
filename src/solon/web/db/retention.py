"""What a site need not keep any longer, deleted. Nothing here runs by itself."""

from __future__ import annotations

from sqlalchemy import CursorResult, Select, Update, delete, or_, select, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Delete

from solon.web.db.arena_tables import ArenaPrompt, ArenaShowing, ArenaVote
from solon.web.db.audit import record
from solon.web.db.members import AGAIN, DAY
from solon.web.db.tables import (
    Answer,
    Conversation,
    EntryLink,
    Invitation,
    Participant,
    SignIn,
    Staged,
    State,
    Statement,
    Vote,
    now,
)


def tidy(db: Session, days: int, *, answers: bool = False) -> dict[str, int]:
    """How much of each kind went: sign-ins and links that are over; and of conversations that are closed, in which
    nobody has voted for so many days, what leads from participants to their browsers, and invitations that nobody used;
    and exports that have waited so many days to be taken over.

    answers: what participants said of themselves, too.
    """
    moment = now()
    since = moment - days * DAY
    over = _over(since)
    people = select(Participant.id).where(Participant.conversation_id.in_(over))
    used_up = or_(EntryLink.expires < moment, EntryLink.used < moment - AGAIN)
    kinds: dict[str, Update | Delete] = {
        "sign-ins": delete(SignIn).where(SignIn.expires < moment),
        "links": delete(EntryLink).where(used_up),
        "invitations": delete(Invitation).where(Invitation.conversation_id.in_(over), ~Invitation.used),
        "exports": delete(Staged).where(Staged.created < since),
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
    """Conversations that are closed and older than that, with all their votes; those of an import may have no time."""
    voted = select(Statement.conversation_id).join(Vote).where(Vote.time >= since)
    compared = select(ArenaPrompt.conversation_id).join(ArenaShowing).join(ArenaVote).where(ArenaVote.time >= since)
    old = (Conversation.state == State.CLOSED) & (Conversation.created < since)
    return select(Conversation.id).where(old, Conversation.id.not_in(voted), Conversation.id.not_in(compared))


def _changed(db: Session, statement: Update | Delete) -> int:
    found = db.execute(statement, execution_options={"synchronize_session": False})
    assert isinstance(found, CursorResult), "it changes rows"
    return found.rowcount
