"""Statements of one's own, after a few votes; and leaving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solon.collective.cleaning.repeated import normalized, repeated_statements
from solon.collective.conversation import AGREE
from solon.web.access import Access, admit
from solon.web.collect.alike import VERY, similar
from solon.web.collect.voting import require_open, votes_wanting
from solon.web.db import conversations, moderation, people, statements, votes
from solon.web.db.tables import Action, Statement
from solon.web.limits import Limit
from solon.web.routing import action, page
from solon.web.signing import new_token
from solon.web.visit import Answer, Visit

WRITERS = Limit("write", 60, 3600)
"""Statements from one address."""
MOST_PER_PERSON = 20
"""Statements of one participant that wait for a moderator (assumption)."""


def write(visit: Visit) -> Answer:
    return _write(visit)


def submit(visit: Visit) -> Answer:
    """The author agrees with it from the start, as in Polis. A form that is sent twice is one statement.

    What is alike is found before the database is written to: others vote meanwhile.
    """
    require_open(visit.talk)
    text = visit.form.line("text")
    if fault := _fault(visit, text):
        return _write(visit, fault=fault)
    alike = [] if visit.form.ticked("anyway") else similar(text, _accepted(visit), VERY)
    visit.begin_writing()
    conversations.lock(visit.db, visit.talk)
    require_open(visit.talk)
    admit(visit, Access.PARTICIPANT)  # who may have been removed meanwhile
    own, there = statements.written_by(visit.db, visit.me), _accepted(visit)
    if text in [one.text for one in own if one.moderated != -1]:
        return _write(visit, sent=text)
    if again := _already_there([*there, *(one for one in own if one not in there)], text):
        return _write(visit, again=again, fault=visit.say("Somebody has said this already."))
    if alike:
        return _write(visit, again=alike, fault=visit.say("Is your thought among these? If not, send it again."))
    statement = statements.add_statement(visit.db, visit.talk, text, author=visit.me)
    votes.cast(visit.db, visit.me, statement, AGREE, new_token())
    return _write(visit, sent=text)


def leave(visit: Visit) -> Answer:
    return visit.render("leave.html.j2", written=statements.written_by(visit.db, visit.me), fault="")


def left(visit: Visit) -> Answer:
    """Either way this browser is nobody here any more."""
    how = visit.form["how"]
    if how not in ("stop", "delete"):
        told = {"written": statements.written_by(visit.db, visit.me), "fault": visit.say("Choose one of the two.")}
        return visit.render("leave.html.j2", status=422, **told)
    if how == "stop":
        people.let_go(visit.me)
    else:
        conversations.lock(visit.db, visit.talk)  # nobody decides on their statements meanwhile
        people.forget(visit.db, visit.me, keep_statements=visit.form.ticked("keep"))
        visit.db.commit()
        visit.site.database.overwrite_deleted()
    del visit.participant
    return visit.render("left.html.j2", deleted=how == "delete")


def _fault(visit: Visit, text: str) -> str:
    """Why it cannot be taken, in words; empty if it can."""
    voted, total = statements.progress(visit.db, visit.talk, visit.me)
    waiting = sum(one.moderated == 0 for one in statements.written_by(visit.db, visit.me))
    if wanting := votes_wanting(visit.talk, voted, total):
        return _wanting(visit, wanting)
    if waiting >= MOST_PER_PERSON:
        return visit.say("So many of your statements wait for a moderator that you have to wait, too.")
    if not normalized(text):
        return visit.say("Write a sentence.")
    if len(text) > visit.talk.longest:
        return visit.say.many(
            "This is %(n)s character too long. At most %(most)s fit.",
            "This is %(n)s characters too long. At most %(most)s fit.",
            len(text) - visit.talk.longest,
            most=visit.say.number(visit.talk.longest),
        )
    return ""


def _wanting(visit: Visit, wanting: int) -> str:
    return visit.say.many("Vote on %(n)s more statement first.", "Vote on %(n)s more statements first.", wanting)


def _accepted(visit: Visit) -> list[Statement]:
    return [one for one in statements.all_statements(visit.db, visit.talk) if one.moderated == 1]


def _already_there(there: Sequence[Statement], text: str) -> list[Statement]:
    """A statement with the same words, but for spelling; at most one."""
    groups = repeated_statements([*enumerate(one.text for one in there), (len(there), text)])
    return [there[group[0]] for group in groups if group[-1] == len(there)]


def _write(visit: Visit, *, fault: str = "", sent: str = "", again: Sequence[Statement] = ()) -> Answer:
    voted, total = statements.progress(visit.db, visit.talk, visit.me)
    wanting = votes_wanting(visit.talk, voted, total)
    told: dict[str, Any] = {
        "fault": fault,
        "sent": sent,
        "again": again,
        "wanting": _wanting(visit, wanting) if wanting else "",
    }
    own = statements.written_by(visit.db, visit.me)
    rejected = {one.number: moderation.history(visit.db, one) for one in own if one.moderated == -1}
    told |= {
        "reasons": {
            number: [one for one in past if one.action in (Action.REJECT, Action.REWRITE)][-1:]
            for number, past in rejected.items()
        },
        "rewritten": statements.in_better_words(visit.db, visit.talk),
        "appealed": [number for number, past in rejected.items() if any(one.action == Action.APPEAL for one in past)],
    }
    typed = "" if sent else visit.form["text"]
    return visit.render("write.html.j2", status=422 if fault else 200, typed=typed, own=own, **told)


PAGES = (
    page("/c/{slug}/write", write, Access.PARTICIPANT),
    action("/c/{slug}/write", submit, Access.PARTICIPANT, limit=WRITERS, writes=False),
)
LEAVING = (
    page("/c/{slug}/leave", leave, Access.JOINED),
    action("/c/{slug}/leave", left, Access.JOINED),
)
