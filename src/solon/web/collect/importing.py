"""A Polis export into a draft: uploaded, looked at, and only then taken over.

It is read by what `solon collect import` reads it by, twice: what is taken over is what was uploaded, not what a page
said of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from solon.collective import conversation as c
from solon.collective.principles.languages import read_all
from solon.errors import Fault, InputError
from solon.report.public.language import Language, mark
from solon.web.access import Access
from solon.web.collect.settings import LONGEST_LINE, LONGEST_TEXT
from solon.web.collect.unpacking import Read, archive_of, hash_of, read_archive
from solon.web.db import audit, conversations, imports
from solon.web.db.tables import Staged
from solon.web.forms import Upload
from solon.web.limits import Limit
from solon.web.routing import action, page, upload
from solon.web.troubles import Trouble
from solon.web.visit import Answer, Visit

UPLOADS = Limit("upload", 30, 3600)
"""Of one address."""
SIGNS = {"": None, "agree=+1": 1, "agree=-1": -1}
UPLOADED = "the archive"
SHOWN = 20
"""File names, and statements of an export that are shown as examples."""


def bring(visit: Visit) -> Answer:
    """Choose the files, or look at what is in those that were chosen."""
    _require_blank(visit)
    kept = imports.staged(visit.db, visit.talk)
    return _bring(visit) if kept is None else _preview(visit, kept)


def look(visit: Visit) -> Answer:
    """Read what was uploaded. It is kept apart until somebody takes it over; nothing is kept that cannot be read."""
    _require_blank(visit)
    sign = SIGNS.get(visit.form["sign"])
    try:
        archive = archive_of(visit.form.files)
        read_archive(archive, sign)
    except InputError as error:
        return _bring(visit, error.faults)
    visit.begin_writing()
    _require_blank(visit)
    imports.stage(visit.db, visit.talk, archive=archive.data, sign=sign, hash=hash_of(archive.data, sign))
    return visit.go("bring", slug=visit.talk.slug)


def take_over(visit: Visit) -> Answer:
    """What was looked at, all of it or nothing."""
    _require_blank(visit)
    kept = _staged(visit)
    talk = read_archive(Upload(UPLOADED, kept.archive), kept.sign).imported.conversation
    visit.begin_writing()
    conversations.lock(visit.db, visit.talk)
    _require_blank(visit)
    _staged(visit)
    imports.bring_in(visit.db, visit.talk, talk, visit.staff, visit.say("It was rejected before the import."))
    if visit.form.ticked("words"):
        visit.talk.topic = " ".join(talk.topic.split())[:LONGEST_LINE] or visit.talk.topic
        visit.talk.description = talk.description[:LONGEST_TEXT] or visit.talk.description
    if talk.strict_moderation is not None:
        visit.talk.strict = talk.strict_moderation
    imports.unstage(visit.db, visit.talk)
    counted = {"statements": len(talk.statements), "votes": int(talk.seen_PS.sum()), "sha256": kept.hash}
    audit.record(visit.db, visit.staff, "export imported", conversation=visit.talk.slug, **counted)
    visit.db.commit()
    visit.site.database.overwrite_deleted()
    return visit.go("manage", slug=visit.talk.slug)


def discard(visit: Visit) -> Answer:
    """Of what was uploaded nothing stays."""
    imports.unstage(visit.db, visit.talk)
    visit.db.commit()
    visit.site.database.overwrite_deleted()
    return visit.go("bring", slug=visit.talk.slug)


def _require_blank(visit: Visit) -> None:
    if not imports.is_blank(visit.db, visit.talk):
        text = mark("Statements are there already. Begin another conversation for the export.")
        raise Trouble(409, mark("An export can only be brought into an empty draft"), text)


def _staged(visit: Visit) -> Staged:
    """What the page showed."""
    kept = imports.staged(visit.db, visit.talk)
    if kept is None or kept.hash != visit.form["seen"]:
        raise Trouble(409, mark("Something else was uploaded meanwhile"), mark("Look at it again."))
    return kept


def _bring(visit: Visit, faults: tuple[Fault, ...] = ()) -> Answer:
    status = 422 if faults else 200
    return visit.render("import.html.j2", status=status, faults=faults, sign=visit.form["sign"], slug=visit.talk.slug)


def _preview(visit: Visit, kept: Staged) -> Answer:
    try:
        read = read_archive(Upload(UPLOADED, kept.archive), kept.sign)
    except InputError as error:
        return _bring(visit, error.faults)
    talk, findings = read.imported.conversation, read.imported.findings
    return visit.render(
        "imported.html.j2",
        seen=kept.hash,
        read=talk,
        facts=list(_facts(talk, visit.say)),
        left_out=list(_left_out(read, visit.say)),
        findings={kind: [one for one in findings if one.severity == kind] for kind in ("warning", "repair", "note")},
    )


def _facts(talk: c.Conversation, say: Language) -> Iterator[tuple[str, str]]:
    """What was read: names and values."""
    states = Counter(one.moderated for one in talk.statements)
    spoken = Counter(one.name for one in read_all([one.text for one in talk.statements]).languages)
    votes = Counter(talk.votes_PS[talk.seen_PS].tolist())
    people = int((talk.n_votes_P > 0).sum())
    number = say.number
    yield say("Statements"), number(len(talk.statements))
    yield (
        say("Moderated"),
        say(
            "%(accepted)s accepted, %(rejected)s rejected, %(waiting)s not decided yet",
            accepted=number(states[1]),
            rejected=number(states[-1]),
            waiting=number(states[0]),
        ),
    )
    yield say("Languages"), ", ".join(f"{name}: {number(count)}" for name, count in spoken.most_common())
    yield say("People who voted"), number(people)
    yield (
        say("Votes that count"),
        say(
            "%(all)s: %(agree)s agree, %(disagree)s disagree, %(passed)s pass",
            all=number(votes.total()),
            agree=number(votes[1]),
            disagree=number(votes[-1]),
            passed=number(votes[0]),
        ),
    )
    if talk.log is not None and len(talk.log.vote):
        yield say("Votes one by one, with times"), number(len(talk.log.vote))
        first, last = int(talk.log.time.min()), int(talk.log.time.max())
        yield say("Cast between"), say.listed([say.day(first), say.day(last)])


def _left_out(read: Read, say: Language) -> Iterator[tuple[str, str]]:
    """What the site will not have, and why."""
    talk = read.imported.conversation
    if read.not_read:
        more = "…" if len(read.not_read) > SHOWN else ""
        yield ", ".join(read.not_read[:SHOWN]) + more, say("no part of an export, so nothing was read of it")
    if xids := sum(one.xid is not None for one in talk.participants):
        yield say.many("%(n)s id of elsewhere", "%(n)s ids of elsewhere", xids), say("this site keeps nobody’s")
    if grouped := sum(one.exported_group is not None for one in talk.participants):
        what = say.many("The group of %(n)s person", "The groups of %(n)s people", grouped)
        yield what, say("groups are found here, from the votes")
    if talk.important_PS is not None and (marks := int(talk.important_PS.sum())):
        yield (
            say.many("%(n)s mark of importance", "%(n)s marks of importance", marks),
            say("this site does not ask for it"),
        )
    wrote = np.isin(talk.participant_ids, [one.author for one in talk.statements if one.author is not None])
    if silent := int(((talk.n_votes_P == 0) & ~wrote).sum()):
        yield say.people(silent), say("they neither voted nor wrote")
    untimed = int((talk.events().time == c.NO_TIME).sum())
    if untimed:
        yield (
            say.many("The time of %(n)s vote", "The times of %(n)s votes", untimed),
            say("the export does not tell it; the votes count all the same"),
        )


PAGES = (
    page("/c/{slug}/import", bring, Access.ORGANISER),
    upload("/c/{slug}/import", look, Access.ORGANISER, limit=UPLOADS),
    action("/c/{slug}/import/take-over", take_over, Access.ORGANISER, writes=False),
    action("/c/{slug}/import/discard", discard, Access.ORGANISER),
)
