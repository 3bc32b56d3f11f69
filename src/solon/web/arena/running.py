"""For whoever runs an arena: answers, checks of attention, settings. State, invitations and roles are on `manage`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from solon.errors import UserError
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.arena import answering, sources
from solon.web.arena.choosing import pairs_of
from solon.web.arena.sources import Given
from solon.web.collect.settings import LONGEST_LINE
from solon.web.db import arenas, audit, conversations
from solon.web.db.arena_tables import Arena
from solon.web.db.arenas import Written
from solon.web.db.tables import Kind, Results, State
from solon.web.routing import action, page
from solon.web.troubles import Trouble
from solon.web.visit import Answer, Visit

NUMBERS = {"check_percent": (0, 50), "enough": (1, 1000), "turns": (1, 20)}
"""Least and most of each."""
MOST_CHECKS = 200


@dataclass
class Told:
    """What a form led to."""

    faults: dict[str, str] = field(default_factory=dict)
    notice: str = ""


def begin_arena(visit: Visit) -> Answer:
    return visit.render("arena-begin.html.j2", fault="")


def create_arena(visit: Visit) -> Answer:
    topic = visit.form.line("topic")
    if not 0 < len(topic) <= LONGEST_LINE:
        fault = visit.say("Write what it is about, in at most %(most)s characters.", most=LONGEST_LINE)
        return visit.render("arena-begin.html.j2", status=422, fault=fault)
    talk = conversations.new_conversation(visit.db, topic=topic, kind=Kind.ARENA, results=Results.TEAM)
    visit.db.add(Arena(conversation_id=talk.id))
    audit.record(visit.db, visit.staff, "arena begun", conversation=talk.slug, topic=topic)
    return visit.go("arena", slug=talk.slug)


def create_arena_for(visit: Visit) -> Answer:
    """For the participants of this conversation, who come with the session that they have."""
    of = visit.talk
    shared = {"organiser": of.organiser, "contact": of.contact}
    talk = conversations.new_conversation(visit.db, topic=of.topic, kind=Kind.ARENA, results=Results.TEAM, **shared)
    visit.db.add(Arena(conversation_id=talk.id, people_of=of.id))
    told = {"conversation": talk.slug, "topic": of.topic, "people_of": of.slug}
    audit.record(visit.db, visit.staff, "arena begun", **told)
    return visit.go("arena", slug=talk.slug)


def arena(visit: Visit) -> Answer:
    return _arena(visit, Told())


def bring_answers(visit: Visit) -> Answer:
    """Of the chosen sources and what was pasted: all of it or, where anything is wrong, nothing."""
    chosen, known, given = visit.form.all("source"), sources.offered(visit.site.runs), list[Given]()
    try:
        for name in dict.fromkeys(chosen):
            given += known[name]() if name in known else ()
        if visit.form["pasted"]:
            given += sources.read_pasted(visit.form["pasted"])
    except UserError as error:
        return _arena(visit, Told({"pasted": visit.site.runs.told(error)}))
    if not given:
        return _arena(visit, Told({"pasted": visit.say("Choose where answers come from, or paste some.")}))
    new = _added(visit, given)
    audit.record(visit.db, visit.staff, "answers brought", conversation=visit.talk.slug, new=new, sources=chosen)
    notice = visit.say("%(new)s answers are new, %(old)s were there.", new=new, old=len(given) - new)
    return _arena(visit, Told(notice=notice))


def make_checks(visit: Visit) -> Answer:
    most = visit.form.number("checks", least=1, most=MOST_CHECKS)
    if most is None:
        fault = visit.say("Write a whole number from %(least)s to %(most)s.", least=1, most=MOST_CHECKS)
        return _arena(visit, Told({"checks": fault}))
    sound = [(one.prompt, one.model, one.text) for one in arenas.answers(visit.db, visit.talk) if not one.spoiled]
    made = sources.spoiled(sound, visit.talk.seed, most)
    new = sum(arenas.add_answer(visit.db, *one, spoiled=True) is not None for one in made)
    audit.record(visit.db, visit.staff, "checks made", conversation=visit.talk.slug, new=new)
    return _arena(visit, Told(notice=visit.say("%(new)s checks are new.", new=new)))


def save_arena(visit: Visit) -> Answer:
    values = {name: visit.form.number(name, least=least, most=most) for name, (least, most) in NUMBERS.items()}
    faults = {
        name: visit.say("Write a whole number from %(least)s to %(most)s.", least=least, most=most)
        for name, (least, most) in NUMBERS.items()
        if values[name] is None
    }
    live = [one for one in answering.models(visit.site) if one in visit.form.all("live")]
    if len(live) == 1:
        faults["live-1"] = visit.say("Choose two models or more, or none.")
    if faults:
        return _arena(visit, Told(faults))
    found = arenas.arena_of(visit.db, visit.talk)
    for name, value in {**values, "live": live}.items():
        setattr(found, name, value)
    audit.record(visit.db, visit.staff, "arena changed", conversation=visit.talk.slug, **values, live=live)
    return _arena(visit, Told(notice=visit.say("Saved.")))


def remove_answers(visit: Visit) -> Answer:
    """Of one model, before anybody has seen them."""
    if visit.talk.state != State.DRAFT:
        raise Trouble(409, mark("That is not possible now"), mark("Answers can be removed from a draft alone."))
    arenas.remove_model(visit.db, visit.talk, visit.form["model"])
    audit.record(visit.db, visit.staff, "answers removed", conversation=visit.talk.slug, model=visit.form["model"])
    return visit.go("arena", slug=visit.talk.slug)


def _added(visit: Visit, given: Sequence[Given]) -> int:
    """How many are new."""
    prompts = {one.key: arenas.add_prompt(visit.db, visit.talk, one.key, one.turns) for one in given}
    added = [arenas.add_answer(visit.db, prompts[one.key], one.model, one.text, spoiled=one.spoiled) for one in given]
    return sum(one is not None for one in added)


def _arena(visit: Visit, told: Told) -> Answer:
    answers = arenas.answers(visit.db, visit.talk)
    pairs = pairs_of(answers)
    return visit.render(
        "arena-manage.html.j2",
        status=422 if told.faults else 200,
        told=told,
        arena=arenas.arena_of(visit.db, visit.talk),
        models=Counter(one.model for one in answers if not one.spoiled),
        checks=_checks(answers),
        pairs=sum(not one.is_check for one in pairs),
        alike=_alike(answers),
        offered=sources.offered(visit.site.runs),
        answering=answering.models(visit.site),
    )


def _checks(answers: Sequence[Written]) -> list[tuple[Written, Written]]:
    """The sound answer and the spoiled one."""
    sound = {(one.prompt, one.model): one for one in answers if not one.spoiled}
    bad = [one for one in answers if one.spoiled]
    return [(sound[one.prompt, one.model], one) for one in bad if (one.prompt, one.model) in sound]


def _alike(answers: Sequence[Written]) -> int:
    """Pairs that are not shown, for both answers are the same text."""
    same = Counter((one.prompt, one.text) for one in answers if not one.spoiled)
    return sum(count * (count - 1) // 2 for count in same.values())


BEGINNING = (page("/begin-arena", begin_arena, Access.OWNER), action("/begin-arena", create_arena, Access.OWNER))
OF_STATEMENTS = (action("/c/{slug}/arena-for", create_arena_for, Access.OWNER),)
PAGES = (
    page("/c/{slug}/arena", arena, Access.ORGANISER),
    action("/c/{slug}/arena", save_arena, Access.ORGANISER),
    action("/c/{slug}/arena/answers", bring_answers, Access.ORGANISER),
    action("/c/{slug}/arena/checks", make_checks, Access.ORGANISER),
    action("/c/{slug}/arena/remove", remove_answers, Access.ORGANISER),
)
