"""People who flood a conversation: found by what they wrote, removed with a reason, and let in again likewise."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from solon.web.access import Access
from solon.web.collect.moderating import reason_faults
from solon.web.db import removals, statements
from solon.web.db.tables import Conversation, Member, Participant
from solon.web.routing import action, page
from solon.web.troubles import not_found
from solon.web.visit import Answer, Visit

MOST = 200
"""People on one page; everybody has a page of their own, by number."""


def all_people(visit: Visit) -> Answer:
    return visit.render("people.html.j2", people=removals.people(visit.db, visit.talk, MOST), most=MOST)


def person(visit: Visit) -> Answer:
    return _person(visit, _found(visit))


def remove(visit: Visit) -> Answer:
    return _decide(visit, removals.remove)


def let_in(visit: Visit) -> Answer:
    return _decide(visit, removals.let_in)


def _decide(visit: Visit, how: Callable[[Session, Conversation, Participant, Member, str], None]) -> Answer:
    found = _found(visit)
    if faults := reason_faults(visit, "reason"):
        return _person(visit, found, faults)
    how(visit.db, visit.talk, found.participant, visit.staff, visit.form.line("reason"))
    return visit.go("person", slug=visit.talk.slug, number=found.participant.number)


def _found(visit: Visit) -> removals.Person:
    found = removals.person(visit.db, visit.talk, visit.number("number"))
    if found is None:
        raise not_found()
    return found


def _person(visit: Visit, found: removals.Person, faults: dict[str, str] | None = None) -> Answer:
    return visit.render(
        "person.html.j2",
        status=422 if faults else 200,
        person=found,
        written=statements.all_by(visit.db, found.participant),
        history=removals.history(visit.db, found.participant),
        faults=faults or {},
        form=visit.form,
    )


PAGES = (
    page("/c/{slug}/people", all_people, Access.MODERATOR),
    page("/c/{slug}/people/{number:row}", person, Access.MODERATOR),
    action("/c/{slug}/people/{number:row}/remove", remove, Access.MODERATOR),
    action("/c/{slug}/people/{number:row}/let-in", let_in, Access.MODERATOR),
)
