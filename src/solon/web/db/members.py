"""Members: their one-time links, their browsers."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from solon.report.public.language import mark
from solon.web.db.tables import EntryLink, Member, SignIn, now
from solon.web.troubles import gone

HOUR, DAY = 3_600_000, 86_400_000
LINK_LIVES = 7 * DAY
SIGNED_IN = 30 * DAY
AGAIN = HOUR // 6
"""Time in which the browser that used a link may use it again."""
OWNER = "Owner"


def members(db: Session) -> Sequence[Member]:
    return db.scalars(select(Member).order_by(Member.id)).all()


def first_owner(db: Session) -> Member:
    """The first owner, made if there is none."""
    found = db.scalar(select(Member).where(Member.owner).order_by(Member.id))
    return found or new_member(db, OWNER, owner=True)


def new_member(db: Session, name: str, *, owner: bool = False) -> Member:
    member = Member(name=name, owner=owner)
    db.add(member)
    db.flush()
    return member


def add_link(db: Session, member: Member, hash: str, *, lives: int = LINK_LIVES) -> None:
    """Another link for a member; those before are worth nothing from now on."""
    db.execute(delete(EntryLink).where(EntryLink.member_id == member.id))
    db.add(EntryLink(hash=hash, member_id=member.id, expires=now() + lives))


def member_of_link(db: Session, hash: str, browser: str) -> Member:
    """Whom a link would sign in. Raises `Trouble` for one that is unknown, used or too old."""
    link = db.scalar(select(EntryLink).where(EntryLink.hash == hash, _usable(browser)))
    if link is None or link.expires < now():
        title = mark("This link cannot be used any more")
        raise gone(title, mark("It was used before, has expired, or is cut off. Ask for a new one."))
    return db.get_one(Member, link.member_id)


def use_link(db: Session, hash: str, browser: str, sign_in: str) -> Member:
    """Sign a browser in. Of two that try at once, one succeeds.

    sign_in: hash of what it is given. The answer may get lost, so the same browser may use the link again for `AGAIN`.
    """
    member = member_of_link(db, hash, browser)
    usable = update(EntryLink).where(EntryLink.hash == hash, _usable(browser))
    used = {"used": func.coalesce(EntryLink.used, now()), "used_by": browser}
    if db.scalar(usable.values(used).returning(EntryLink.id)) is None:
        raise gone(mark("This link cannot be used any more"))
    db.add(SignIn(browser=sign_in, member_id=member.id, expires=now() + SIGNED_IN))
    return member


def _usable(browser: str) -> ColumnElement[bool]:
    again = (EntryLink.used_by == browser) & (EntryLink.used > now() - AGAIN)
    return EntryLink.used.is_(None) | again


def signed_in(db: Session, browser: str) -> Member | None:
    query = select(Member).join(SignIn).where(SignIn.browser == browser, SignIn.expires > now())
    return db.scalar(query)


def sign_out_elsewhere(db: Session, member: Member, browser: str) -> None:
    """Everywhere but in this browser."""
    db.execute(delete(SignIn).where(SignIn.member_id == member.id, SignIn.browser != browser))


def sign_out(db: Session, browser: str) -> None:
    db.execute(delete(SignIn).where(SignIn.browser == browser))


def remove_member(db: Session, member: Member) -> None:
    """With their links and sign-ins. What they did stays in the audit log."""
    db.execute(delete(Member).where(Member.id == member.id))
