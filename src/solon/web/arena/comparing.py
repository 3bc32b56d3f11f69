"""Comparing: one pair at a time. Nothing on the page tells which model wrote what."""

from __future__ import annotations

from collections.abc import Mapping

from solon.evals.arena import OBJECTIVES, VERDICTS, Verdict
from solon.evals.contest import Objective
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.arena.choosing import Pair, draw_pair, pairs_of
from solon.web.collect.voting import VOTES, require_open
from solon.web.db import arenas
from solon.web.db.arenas import Shown
from solon.web.db.tables import State
from solon.web.routing import action, page
from solon.web.troubles import Trouble
from solon.web.visit import Answer, Visit

_VERDICTS: Mapping[str, Verdict] = {one: one for one in VERDICTS}


def compare(visit: Visit) -> Answer:
    """The pair that waits, or the next one."""
    return _compare(visit, {})


def judge(visit: Visit) -> Answer:
    """Only what was shown to this judge can be voted on, once; a form that is sent twice counts once."""
    require_open(visit.talk)
    showing = arenas.of_token(visit.db, visit.me, visit.form["token"])
    if showing is None:
        raise Trouble(409, mark("That pair is gone"), mark("Your vote was not saved. Go on with another one."))
    said = {one: found for one in OBJECTIVES if (found := _VERDICTS.get(visit.form[one]))}
    if missing := [one for one in OBJECTIVES if one not in said]:
        return _compare(visit, dict.fromkeys(missing, visit.say("Choose one of these.")), said)
    arenas.cast(visit.db, showing, said)
    return visit.go("ask" if arenas.last_own(visit.db, visit.me) else "compare", slug=visit.talk.slug)


def pairs(visit: Visit) -> tuple[Pair, ...]:
    """Every pair of the arena; worked out when its answers have changed."""
    version = arenas.answers_version(visit.db, visit.talk)
    return visit.site.kept.once(
        "pairs", visit.talk.id, lambda: pairs_of(arenas.answers(visit.db, visit.talk)), version=version
    )


def _compare(visit: Visit, faults: Mapping[str, str], said: Mapping[Objective, Verdict] = {}) -> Answer:
    arena = arenas.arena_of(visit.db, visit.talk)
    shown = _next(visit, arena.check_percent / 100) if visit.talk.state == State.OPEN else None
    voted = arenas.voted(visit.db, visit.me)
    told = {"shown": shown, "faults": faults, "chosen": said, "voted": voted, "arena": arena}
    return visit.render("arena-compare.html.j2", status=422 if faults else 200, **told)


def _next(visit: Visit, check_share: float) -> Shown | None:
    arenas.alone(visit.db, visit.me)
    if found := arenas.waiting(visit.db, visit.me):
        return found
    drawn = draw_pair(
        pairs(visit),
        arenas.shown_counts(visit.db, visit.talk),
        arenas.seen(visit.db, visit.me),
        check_share=check_share,
        seed=visit.talk.seed,
        judge=visit.me.number,
    )
    if drawn:
        arenas.show(visit.db, visit.me, *drawn)
    return arenas.waiting(visit.db, visit.me)


PAGES = (
    page("/c/{slug}/compare", compare, Access.PARTICIPANT, writes=True),
    action("/c/{slug}/compare", judge, Access.PARTICIPANT, limit=VOTES),
)
