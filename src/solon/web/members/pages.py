"""Pages of members. There are no passwords: a link signs a browser in, once, and an owner makes another at any time."""

from __future__ import annotations

from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.db import audit, members
from solon.web.db.tables import Member
from solon.web.limits import Limit
from solon.web.routing import action, page
from solon.web.signing import new_token
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

LONGEST_NAME = 80
GUESSES = Limit("enter", 20, 600)
"""Links that one address may try; 2²⁵⁶ of them would have to be."""


def enter(visit: Visit) -> Answer:
    """Asks before a link is used, since mail programs open links to look at them."""
    member = members.member_of_link(visit.db, visit.site.signer.hashed(visit.part("token")), visit.browser.hash)
    return visit.render("enter.html.j2", name=member.name, token=visit.part("token"))


def sign_in(visit: Visit) -> Answer:
    """By a new token, so that one that was planted before is worth nothing."""
    link = visit.site.signer.hashed(visit.part("token"))
    members.sign_out(visit.db, visit.browser.member_hash)
    visit.browser.renew_sign_in()
    member = members.use_link(visit.db, link, visit.browser.hash, visit.browser.member_hash)
    audit.record(visit.db, member, "signed in")
    return visit.go("front")


def sign_out(visit: Visit) -> Answer:
    members.sign_out(visit.db, visit.browser.member_hash)
    return visit.go("front")


def team(visit: Visit) -> Answer:
    return _team(visit)


def add_member(visit: Visit) -> Answer:
    name = visit.form.line("name")
    if not 0 < len(name) <= LONGEST_NAME:
        return _team(
            visit, status=422, fault=visit.say("Write a name of at most %(most)s characters.", most=LONGEST_NAME)
        )
    member = members.new_member(visit.db, name, owner=visit.form.ticked("owner"))
    audit.record(visit.db, visit.staff, "member added", member=member.id, name=name, owner=member.owner)
    return _with_link(visit, member)


def renew_link(visit: Visit) -> Answer:
    """Another link for somebody who lost theirs, or their browser: it is signed out."""
    member = _member(visit)
    members.sign_out_elsewhere(visit.db, member, visit.browser.member_hash)
    return _with_link(visit, member)


def remove_member(visit: Visit) -> Answer:
    member = _member(visit)
    if member.id == visit.staff.id:
        raise Trouble(409, mark("You cannot remove yourself"), mark("Another owner can."))
    members.remove_member(visit.db, member)
    audit.record(visit.db, visit.staff, "member removed", member=member.id, name=member.name)
    return visit.go("team")


def log(visit: Visit) -> Answer:
    return visit.render("log.html.j2", rows=audit.newest(visit.db))


def _member(visit: Visit) -> Member:
    found = visit.db.get(Member, visit.number("member"))
    if found is None:
        raise not_found()
    return found


def _with_link(visit: Visit, member: Member) -> Answer:
    """The link is shown once: the database has its hash alone."""
    token = new_token()
    members.add_link(visit.db, member, visit.site.signer.hashed(token))
    audit.record(visit.db, visit.staff, "link made", member=member.id)
    return _team(visit, made=(member, visit.site.settings.base + visit.path("enter", token=token)))


def _team(visit: Visit, *, status: int = 200, fault: str = "", made: tuple[Member, str] | None = None) -> Answer:
    everybody = members.members(visit.db)
    return visit.render("team.html.j2", status=status, members=everybody, fault=fault, made=made, form=visit.form)


PAGES = (
    page("/enter/{token}", enter, Access.ANYONE, limit=GUESSES),
    action("/enter/{token}", sign_in, Access.ANYONE, limit=GUESSES),
    action("/sign-out", sign_out, Access.MEMBER),
    page("/team", team, Access.OWNER),
    action("/team", add_member, Access.OWNER),
    action("/team/{member:row}/link", renew_link, Access.OWNER),
    action("/team/{member:row}/remove", remove_member, Access.OWNER),
    page("/log", log, Access.OWNER),
)
