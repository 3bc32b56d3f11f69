"""Pages that everybody may see."""

from __future__ import annotations

from solon.web.access import Access
from solon.web.db.conversations import counted, seen_by
from solon.web.routing import page
from solon.web.visit import Answer, Visit


def front(visit: Visit) -> Answer:
    return visit.render("front.html.j2", talks=seen_by(visit.db, visit.member))


def landing(visit: Visit) -> Answer:
    people, statements, votes = counted(visit.db, visit.talk)
    return visit.render("landing.html.j2", people=people, statements=statements, votes=votes)


PAGES = (page("/", front, Access.ANYONE), page("/c/{slug}", landing, Access.ANYONE))
