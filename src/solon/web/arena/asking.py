"""A live arena: a judge writes, two models answer, and what the judge found better goes on, turn after turn.

As when the preferences of the papers were collected (Bai et al. 2022, 2204.05862, section 2), both models answer the
same dialogue: what was said before is the answer that the judge found more helpful, by a coin where neither was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from solon.collective.opinion.lottery import draw
from solon.errors import EngineError, UserError
from solon.records import Turn
from solon.report.public.language import mark
from solon.seeds import derive_seed, generator
from solon.web.access import Access
from solon.web.arena import answering
from solon.web.collect.voting import require_open
from solon.web.db import arenas
from solon.web.limits import Limit
from solon.web.routing import action, page
from solon.web.signing import new_token
from solon.web.troubles import Trouble, gone, not_found
from solon.web.visit import Answer, Visit

LONGEST = 2000
"""Characters of what a judge writes."""
ASKERS = Limit("ask", 60, 3600, of_browser=True)
"""Questions of one judge: each costs two computations (assumption)."""


class Before(NamedTuple):
    """A dialogue that may go on."""

    turns: tuple[Turn, ...]
    models: tuple[str, str]


def ask(visit: Visit) -> Answer:
    return _ask(visit)


def ask_models(visit: Visit) -> Answer:
    """Two models answer before the database is written to: others vote meanwhile."""
    require_open(visit.talk)
    if arenas.waiting(visit.db, visit.me):
        return visit.go("compare", slug=visit.talk.slug)
    text, going_on = visit.form["text"], visit.form.ticked("go_on")
    if not 0 < len(text) <= LONGEST:
        return _ask(visit, fault=visit.say("Write at most %(most)s characters.", most=visit.say.number(LONGEST)))
    before = _before(visit) if going_on else None
    if going_on and before is None:
        raise Trouble(409, mark("That dialogue cannot go on"), mark("Begin another one."))
    seed = derive_seed(visit.talk.seed, "live", visit.me.number, len(arenas.seen(visit.db, visit.me)))
    models, chance = (before.models, 1.0) if before else _drawn(visit, seed)
    turns = (*(before.turns if before else ()), Turn(role="human", text=text))
    visit.let_go()
    answers = _answers(visit, models, turns, seed)
    visit.begin_writing()
    return _keep(visit, turns, models, answers, chance, seed)


def _answers(visit: Visit, models: Sequence[str], turns: Sequence[Turn], seed: int) -> list[str]:
    try:
        found = answering.answers(visit.site, models, turns, seed=seed, who=visit.browser.hash)
    except (EngineError, UserError) as error:
        raise Trouble(502, mark("A model could not answer"), mark("Nothing was saved. Try a shorter text.")) from error
    return [text.strip() or "…" for text in found]


def _keep(
    visit: Visit, turns: Sequence[Turn], models: Sequence[str], answers: Sequence[str], chance: float, seed: int
) -> Answer:
    """Unless its judge left, or another pair came meanwhile."""
    if visit.participant is None:
        raise gone(mark("You do not take part any more"))
    require_open(visit.talk)
    arenas.alone(visit.db, visit.me)
    if arenas.waiting(visit.db, visit.me) is None:
        prompt = arenas.add_prompt(visit.db, visit.talk, new_token(), turns, visit.me)
        a, b = (arenas.add_answer(visit.db, prompt, *one) for one in zip(models, answers, strict=True))
        assert a is not None and b is not None, "the prompt is new"
        swapped = generator(seed, "side").random() < 0.5
        arenas.show(visit.db, visit.me, prompt, *((b, a) if swapped else (a, b)), chance)
    return visit.go("compare", slug=visit.talk.slug)


def _drawn(visit: Visit, seed: int) -> tuple[tuple[str, str], float]:
    """Two models of those that met least often, and the chance of this draw."""
    known = answering.models(visit.site)
    pairs = list(combinations([one for one in arenas.arena_of(visit.db, visit.talk).live if one in known], 2))
    if not pairs:
        raise not_found()
    met = Counter(frozenset(one) for one in arenas.live_meetings(visit.db, visit.talk))
    least = min(met[frozenset(one)] for one in pairs)
    first = [one for one in pairs if met[frozenset(one)] == least]
    return first[draw(np.ones(len(first)), seed, "models")], 1 / len(first)


def _before(visit: Visit) -> Before | None:
    """The judge's newest dialogue, if they have voted on it and it has turns left."""
    found = arenas.last_own(visit.db, visit.me)
    if found is None:
        return None
    shown, vote = found
    if sum(turn.role == "human" for turn in shown.turns) >= arenas.arena_of(visit.db, visit.talk).turns:
        return None
    coin = generator(visit.talk.seed, "goes on", shown.showing.id).random() < 0.5
    first = vote.helpfulness == "a" or (vote.helpfulness != "b" and coin)
    turns = (*shown.turns, Turn(role="assistant", text=shown.a if first else shown.b))
    return Before(turns, arenas.models_of(visit.db, shown.showing))


def _ask(visit: Visit, *, fault: str = "") -> Answer:
    if not arenas.arena_of(visit.db, visit.talk).live:
        raise not_found()
    if arenas.waiting(visit.db, visit.me):
        return visit.go("compare", slug=visit.talk.slug)
    before = _before(visit)
    told = {"before": before.turns if before else (), "fault": fault, "longest": LONGEST}
    return visit.render("arena-ask.html.j2", status=422 if fault else 200, **told)


PAGES = (
    page("/c/{slug}/ask", ask, Access.PARTICIPANT),
    action("/c/{slug}/ask", ask_models, Access.PARTICIPANT, writes=False, limit=ASKERS),
)
