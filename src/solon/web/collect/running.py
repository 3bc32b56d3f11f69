"""For whoever runs a conversation: its settings, first statements, invitations, roles; opening and closing it."""

from __future__ import annotations

from typing import Any

from solon.collective.people.quotas import seats
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.collect import settings
from solon.web.collect.joining import population_of
from solon.web.collect.moderating import usual_criteria
from solon.web.db import audit, conversations, imports, members, people, statements
from solon.web.db.tables import Member, Role, State
from solon.web.routing import action, page
from solon.web.signing import new_token
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

MOST_INVITATIONS = 2000
"""At once."""
NEXT = {State.DRAFT: (State.OPEN, State.CLOSED), State.OPEN: (State.CLOSED,), State.CLOSED: (State.OPEN,)}
"""What may become of a conversation; nothing becomes a draft again. A draft with votes is an import: it may be over."""


def begin(visit: Visit) -> Answer:
    return visit.render("begin.html.j2", fault="")


def create(visit: Visit) -> Answer:
    topic = visit.form.line("topic")
    if not 0 < len(topic) <= settings.LONGEST_LINE:
        fault = visit.say("Write what it is about, in at most %(most)s characters.", most=settings.LONGEST_LINE)
        return visit.render("begin.html.j2", status=422, fault=fault)
    talk = conversations.new_conversation(visit.db, topic=topic, criteria=usual_criteria(visit.say))
    audit.record(visit.db, visit.staff, "conversation begun", conversation=talk.slug, topic=topic)
    return visit.go("bring" if visit.form["with"] == "export" else "manage", slug=talk.slug)


def manage(visit: Visit) -> Answer:
    return _manage(visit)


def edit(visit: Visit) -> Answer:
    return visit.render("settings.html.j2", values=settings.shown(visit.talk), faults={})


def save(visit: Visit) -> Answer:
    values, faults = settings.read(visit.form, visit.say, settings.shown(visit.talk))
    if faults:
        return visit.render("settings.html.j2", status=422, values=values, faults=faults)
    before = settings.shown(visit.talk)
    changed = {name: value for name, value in values.items() if value != before[name]}
    for name, value in changed.items():
        setattr(visit.talk, name, value)
    if changed:
        audit.record(visit.db, visit.staff, "settings changed", conversation=visit.talk.slug, **changed)
    return visit.go("manage", slug=visit.talk.slug)


def set_state(visit: Visit) -> Answer:
    wanted = visit.form["state"]
    if wanted not in NEXT[State(visit.talk.state)]:
        raise Trouble(409, mark("That is not possible now"), mark("Somebody else may have changed it. Look again."))
    visit.talk.state = wanted
    audit.record(visit.db, visit.staff, f"conversation {wanted}", conversation=visit.talk.slug)
    return visit.go("manage", slug=visit.talk.slug)


def add_seeds(visit: Visit) -> Answer:
    """A line each; accepted at once. Those that are there already, word for word, are not added again."""
    lines = list(dict.fromkeys(visit.form.lines("seeds")))
    long = [line for line in lines if len(line) > visit.talk.longest]
    if long or not lines:
        fault = visit.say("Write a statement on each line, of at most %(most)s characters.", most=visit.talk.longest)
        return _manage(visit, status=422, seeds_fault=fault)
    there = {one.text for one in statements.all_statements(visit.db, visit.talk)}
    new = [line for line in lines if line not in there]
    for line in new:
        statements.add_statement(visit.db, visit.talk, line, moderated=1)
    audit.record(visit.db, visit.staff, "statements added", conversation=visit.talk.slug, count=len(new))
    return visit.go("manage", slug=visit.talk.slug)


def invite(visit: Visit) -> Answer:
    """The links are shown once: the database has their hashes alone."""
    count = visit.form.number("count", least=1, most=MOST_INVITATIONS)
    if count is None:
        fault = visit.say("Write a whole number from %(least)s to %(most)s.", least=1, most=MOST_INVITATIONS)
        return _manage(visit, status=422, count_fault=fault)
    tokens = [new_token() for _ in range(count)]
    people.invite(visit.db, visit.talk, [visit.site.signer.hashed(one) for one in tokens])
    audit.record(visit.db, visit.staff, "invitations made", conversation=visit.talk.slug, count=count)
    links = [visit.site.settings.base + visit.path("invitation", token=one) for one in tokens]
    return visit.render("invitations.html.j2", links=links)


def give_role(visit: Visit) -> Answer:
    """Of somebody of the team in this conversation."""
    member, role = visit.db.get(Member, visit.form.number("member", least=1, most=2**31 - 1) or 0), visit.form["role"]
    if member is None or role not in ("", *Role):
        raise not_found()
    conversations.set_role(visit.db, member, visit.talk, Role(role) if role else None)
    told: dict[str, Any] = {"conversation": visit.talk.slug, "member": member.id, "role": role or "none"}
    audit.record(visit.db, visit.staff, "role given", **told)
    return visit.go("manage", slug=visit.talk.slug)


def _manage(visit: Visit, *, status: int = 200, **faults: str) -> Answer:
    talk, population = visit.talk, population_of(visit.talk.population)
    voters, sayings, cast = conversations.counted(visit.db, talk)
    return visit.render(
        "manage.html.j2",
        status=status,
        faults=faults,
        link=visit.site.settings.base + visit.path("landing", slug=talk.slug),
        voters=voters,
        sayings=sayings,
        cast=cast,
        stages=people.stages(visit.db, talk),
        invitations=people.invitations(visit.db, talk),
        seats=seats(population, people.answers(visit.db, talk).values()) if population else [],
        team=[one for one in members.members(visit.db) if not one.owner],
        roles=conversations.roles(visit.db, talk),
        next=[one for one in NEXT[State(talk.state)] if voters or one == State.OPEN or talk.state == State.OPEN],
        blank=imports.is_blank(visit.db, talk),
        form=visit.form,
    )


PAGES = (
    page("/begin", begin, Access.OWNER),
    action("/begin", create, Access.OWNER),
    page("/c/{slug}/manage", manage, Access.ORGANISER),
    page("/c/{slug}/settings", edit, Access.ORGANISER),
    action("/c/{slug}/settings", save, Access.ORGANISER),
    action("/c/{slug}/state", set_state, Access.ORGANISER),
    action("/c/{slug}/invitations", invite, Access.ORGANISER),
    action("/c/{slug}/roles", give_role, Access.ORGANISER),
)
OF_STATEMENTS = (action("/c/{slug}/seeds", add_seeds, Access.ORGANISER),)
