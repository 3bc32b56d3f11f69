"""The audit log: what members did, in rows that nobody changes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from solon.web.db.tables import Audited, Member

SITE = "site"


def record(db: Session, actor: Member | None, action: str, **detail: object) -> None:
    """In the same transaction as what it records, so that neither is there without the other."""
    db.add(Audited(actor=SITE if actor is None else name_of(actor), action=action, detail=detail))


def name_of(member: Member) -> str:
    """As logs call a member, who may be gone when they are read."""
    return f"{member.name} ({member.id})"


def newest(db: Session, most: int = 200) -> Sequence[Audited]:
    return db.scalars(select(Audited).order_by(Audited.id.desc()).limit(most)).all()
