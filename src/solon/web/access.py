"""Who may see a page: every route says one of these, and `admit` holds it, on every request."""

from __future__ import annotations

from enum import StrEnum

from solon.report.public.language import mark
from solon.web.db.conversations import role_of
from solon.web.db.tables import Role, Stage
from solon.web.troubles import Trouble, forbidden, sign_in_first
from solon.web.visit import Visit


class Access(StrEnum):
    ANYONE = "anyone"
    JOINED = "joined"
    """Consented to take part in the conversation of the address, whatever became of it."""
    PARTICIPANT = "participant"
    """Takes part in it."""
    MEMBER = "member"
    """Anybody who is signed in."""
    MODERATOR = "moderator"
    """Moderates or organises the conversation of the address."""
    ORGANISER = "organiser"
    OWNER = "owner"
    """Of the site."""


OF_MEMBERS = frozenset({Access.MEMBER, Access.MODERATOR, Access.ORGANISER, Access.OWNER})


def admit(visit: Visit, needs: Access) -> None:
    """Raises `Trouble` for whoever may not. Roles are read anew each time, so that taking one away works at once."""
    if needs in (Access.JOINED, Access.PARTICIPANT):
        _admit_participant(visit, needs)
    elif needs is not Access.ANYONE:
        _admit_member(visit, needs)


def _admit_participant(visit: Visit, needs: Access) -> None:
    found = visit.participant
    if found is None:
        raise Trouble(403, mark("You do not take part yet"), mark("Read about the conversation first, then join it."))
    if needs is Access.PARTICIPANT and found.state == Stage.REMOVED:
        raise Trouble(403, mark("You were removed from this conversation"), mark("Go back to it to read why."))
    if needs is Access.PARTICIPANT and found.state != Stage.IN:
        raise Trouble(403, mark("A few questions come first"), mark("Go back to the conversation to answer them."))


def _admit_member(visit: Visit, needs: Access) -> None:
    if visit.member is None:
        raise sign_in_first()
    if needs is Access.MEMBER or visit.member.owner:
        return
    role = role_of(visit.db, visit.member, visit.talk) if needs in (Access.MODERATOR, Access.ORGANISER) else None
    if role is None or (needs is Access.ORGANISER and role is not Role.ORGANISER):
        raise forbidden()
