"""What people were shown: each statement with the chance of its draw, given the votes before."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from solon.web.db.statements import visible
from solon.web.db.tables import Conversation, Participant, Showing, Standing, Statement
from solon.web.signing import new_token


def waiting(db: Session, talk: Conversation, participant: Participant) -> tuple[Showing, Statement] | None:
    """What somebody was shown and has not voted on. Loading a page again draws no other statement."""
    voted = select(Standing.statement_id).where(Standing.participant_id == participant.id)
    query = (
        select(Showing, Statement)
        .join(Statement, Showing.statement_id == Statement.id)
        .where(Showing.participant_id == participant.id, ~Showing.answered, visible(talk), Statement.id.not_in(voted))
        .order_by(Showing.id.desc())
        .limit(1)
    )
    found = db.execute(query).first()
    return (found[0], found[1]) if found else None


def show(db: Session, participant: Participant, statement: Statement, chance: float | None) -> Showing:
    """Log it. `chance`: None where nobody drew it, but somebody asked for it."""
    showing = Showing(
        participant_id=participant.id, statement_id=statement.id, token=new_token(), chance=chance, answered=False
    )
    db.add(showing)
    db.flush()
    return showing


def of_token(db: Session, talk: Conversation, participant: Participant, token: str) -> Statement | None:
    """What this participant was shown in a form; None for a token that is not theirs, or of what is gone."""
    query = (
        select(Statement)
        .join(Showing, Showing.statement_id == Statement.id)
        .where(Showing.token == token, Showing.participant_id == participant.id, visible(talk))
    )
    return db.scalar(query)


def drawn(db: Session, participant: Participant) -> int:
    """How often something was drawn for somebody."""
    query = select(func.count()).where(Showing.participant_id == participant.id, Showing.chance.is_not(None))
    return db.scalar(query) or 0
