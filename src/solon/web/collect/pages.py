"""Pages that everybody may see."""

from __future__ import annotations

from collections.abc import Sequence

from solon.web.access import Access
from solon.web.db import arenas
from solon.web.db.conversations import counted, seen_by
from solon.web.db.tables import Conversation, Stage, State
from solon.web.routing import page
from solon.web.visit import Answer, Visit


def front(visit: Visit) -> Answer:
    return visit.render("front.html.j2", talks=seen_by(visit.db, visit.member))


def landing(visit: Visit) -> Answer:
    people, statements, votes = counted(visit.db, visit.talk)
    here = {"people": people, "statements": statements, "votes": votes}
    there = arenas.people_of(visit.db, visit.talk)
    return visit.render("landing.html.j2", **here, arenas=arenas_for(visit), people_of=there)


def arenas_for(visit: Visit) -> Sequence[Conversation]:
    """Where somebody who takes part here is asked to compare answers."""
    takes_part = visit.participant is not None and visit.participant.state == Stage.IN
    return arenas.begun_for(visit.db, visit.talk, State.OPEN) if takes_part else []


PAGES = (page("/", front, Access.ANYONE), page("/c/{slug}", landing, Access.ANYONE))
