"""Moderation: one statement at a time beside those that are like it; published criteria, and a reason every time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.responses import RedirectResponse

from solon.collective.tables import csv_bytes
from solon.report.public.language import Language, mark
from solon.web.access import Access
from solon.web.collect.alike import beside
from solon.web.db import moderation, removals, statements
from solon.web.db.tables import Action, Conversation, Decision, Participant, Statement
from solon.web.downloads import download
from solon.web.language import languages, spoken
from solon.web.routing import action, page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

LONGEST_REASON = 500


def usual_criteria(say: Language) -> str:
    """What a new conversation begins with, in the language of whoever begins it."""
    return "\n".join(
        (
            say("It is not about the subject."),
            say("It says several things at once, so that one vote cannot answer it."),
            say("It names or describes a private person."),
            say("It insults or threatens somebody."),
            say("It advertises something."),
            say("It says what another statement says already."),
        )
    )


def criteria_of(talk: Conversation) -> list[str]:
    return [line.strip() for line in talk.criteria.splitlines() if line.strip()]


def duplicate_criterion(talk: Conversation) -> str | None:
    """The one of the usual criteria that says it, in any language; None: the organisers have no such criterion."""
    usual = {usual_criteria(spoken(tag)).splitlines()[-1] for tag in languages()}
    return next((one for one in criteria_of(talk) if one in usual), None)


def moderate(visit: Visit) -> Answer:
    """The oldest that waits, or the next one after what was decided or skipped; or that nothing does."""
    queue = moderation.waiting(visit.db, visit.talk, visit.staff)
    text = visit.request.query_params.get("after", "")
    after = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
    number = next((one for one in queue if one > after), queue[0] if queue else None)
    return _statement(visit, None if number is None else statements.by_number(visit.db, visit.talk, number))


def moderate_one(visit: Visit) -> Answer:
    return _statement(visit, _found(visit))


def decide(visit: Visit) -> Answer:
    statement, wanted = _found(visit), visit.form["decision"]
    _require_unchanged(visit, statement)
    if visit.form["duplicate"]:
        return _reject_as_duplicate(visit, statement)
    if wanted not in (Action.ACCEPT, Action.REJECT):
        raise not_found()
    rejects = wanted == Action.REJECT
    criterion, field = (visit.form["criterion"], "against") if rejects else ("", "reason")
    faults = reason_faults(visit, field)
    if rejects and criterion not in criteria_of(visit.talk):
        faults["criterion"] = visit.say("Choose the criterion that it is rejected for.")
    if faults:
        return _statement(visit, statement, faults)
    reason = visit.form.line(field)
    moderation.decide(visit.db, visit.talk, statement, visit.staff, Action(wanted), criterion, reason)
    return _next(visit, statement)


def rewrite(visit: Visit) -> Answer:
    """Never an edit: votes stay with the words they were cast on. The new statement begins without any."""
    statement = _found(visit)
    _require_unchanged(visit, statement)
    text, faults = visit.form.line("text"), reason_faults(visit, "why")
    if not 0 < len(text) <= visit.talk.longest or text == statement.text:
        faults["text"] = visit.say("Write other words, in at most %(most)s characters.", most=visit.talk.longest)
    if faults:
        return _statement(visit, statement, faults)
    new = statements.add_statement(visit.db, visit.talk, text, moderated=1, instead_of=statement)
    told = f"#{new.number}", visit.form.line("why")
    moderation.decide(visit.db, visit.talk, statement, visit.staff, Action.REWRITE, *told)
    return _next(visit, statement)


def all_statements(visit: Visit) -> Answer:
    """Of the conversation, to look at again what was decided."""
    return visit.render("statements.html.j2", rows=statements.all_statements(visit.db, visit.talk))


def decisions_csv(visit: Visit) -> Answer:
    """The log of decisions, with the texts, for those who moderate."""
    header = ["time", "statement", "text", "who", "action", "criterion", "reason"]

    def asked(one: Decision, on: Statement) -> str:
        return on.appeal if one.action == Action.APPEAL else ""

    rows = [
        (one.time, on.number, on.text, one.actor, one.action, one.criterion, one.reason or asked(one, on))
        for one, on in reversed(moderation.decisions(visit.db, visit.talk))
    ]
    return download("decisions.csv", csv_bytes(header, rows), "text/csv; charset=utf-8")


def removed(visit: Visit) -> Answer:
    """For everybody: what was rejected, who was removed, and why. Texts are not shown: they may be about somebody."""
    rows = moderation.removed(visit.db, visit.talk)
    new = statements.in_better_words(visit.db, visit.talk)
    people = removals.removed(visit.db, visit.talk)
    return visit.render("removed.html.j2", rows=rows, people=people, criteria=criteria_of(visit.talk), rewritten=new)


def appeal(visit: Visit) -> Answer:
    """The author of a rejected statement asks for another look, by somebody else."""
    statement = _found(visit)
    if statement.author_id != visit.me.id:
        raise not_found()
    reason = visit.form.line("reason")[:LONGEST_REASON]
    moderation.appeal(visit.db, statement, reason)
    return visit.go("write", slug=visit.talk.slug)


def _reject_as_duplicate(visit: Visit, statement: Statement) -> Answer:
    """Of another one, which stays."""
    number, criterion = visit.form.number("duplicate", least=0, most=10**8), duplicate_criterion(visit.talk)
    other = None if number is None else statements.by_number(visit.db, visit.talk, number)
    if other is None or criterion is None or other.withdrawn or other.moderated == -1 or other.id == statement.id:
        raise _meanwhile()
    reason = visit.say("It says the same as statement %(number)s.", number=other.number)
    moderation.decide(visit.db, visit.talk, statement, visit.staff, Action.REJECT, criterion, reason)
    return _next(visit, statement)


def _next(visit: Visit, statement: Statement) -> Answer:
    """On to what waits after it: what was skipped comes again at the end."""
    return RedirectResponse(f"{visit.path('moderate', slug=visit.talk.slug)}?after={statement.number}", 303)


def _found(visit: Visit) -> Statement:
    """To be decided on, by a form: then nobody else decides meanwhile."""
    number, decides = visit.number("number"), visit.request.method == "POST"
    found = statements.by_number(visit.db, visit.talk, number, alone=decides)
    if found is None or found.withdrawn:
        raise not_found()
    return found


def _require_unchanged(visit: Visit, statement: Statement) -> None:
    """Two moderators who look at the same statement do not undo each other's work."""
    if visit.form["seen"] != str(len(moderation.history(visit.db, statement))):
        raise _meanwhile()


def _meanwhile() -> Trouble:
    return Trouble(409, mark("Somebody else decided meanwhile"), mark("Look at the statement again."))


def reason_faults(visit: Visit, field: str) -> dict[str, str]:
    """A decision without a reason is none."""
    if 0 < len(visit.form.line(field)) <= LONGEST_REASON:
        return {}
    return {field: visit.say("Write a reason, in at most %(most)s characters.", most=LONGEST_REASON)}


def _statement(visit: Visit, statement: Statement | None, faults: Mapping[str, str] = MappingProxyType({})) -> Answer:
    everybody = statements.all_statements(visit.db, visit.talk) if statement else []
    return visit.render(
        "moderate.html.j2",
        status=422 if faults else 200,
        statement=statement,
        author=visit.db.get(Participant, statement.author_id) if statement and statement.author_id else None,
        history=moderation.history(visit.db, statement) if statement else [],
        alike=beside(visit.site.kept, statement, everybody) if statement else [],
        waiting=len(moderation.waiting(visit.db, visit.talk, visit.staff)),
        for_others=moderation.waiting_for_others(visit.db, visit.talk, visit.staff),
        criteria=criteria_of(visit.talk),
        duplicates=duplicate_criterion(visit.talk) is not None,
        faults=faults,
        form=visit.form,
    )


PAGES = (
    page("/c/{slug}/moderate", moderate, Access.MODERATOR),
    page("/c/{slug}/moderate/{number:row}", moderate_one, Access.MODERATOR),
    action("/c/{slug}/moderate/{number:row}", decide, Access.MODERATOR),
    action("/c/{slug}/moderate/{number:row}/rewrite", rewrite, Access.MODERATOR),
    page("/c/{slug}/statements", all_statements, Access.MODERATOR),
    page("/c/{slug}/decisions.csv", decisions_csv, Access.MODERATOR),
    page("/c/{slug}/removed", removed, Access.ANYONE),
    action("/c/{slug}/appeal/{number:row}", appeal, Access.PARTICIPANT),
)
