"""Taking part: an invitation where one is needed, consent, questions that say whom the conversation hears."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from solon.collective.people.population import Population, read_population
from solon.report.public.language import Language, mark
from solon.web.access import Access
from solon.web.db import arenas, people, removals
from solon.web.db.tables import Conversation, Kind, Stage, State
from solon.web.limits import Limit
from solon.web.routing import action, page
from solon.web.troubles import Trouble, gone
from solon.web.visit import Answer, Visit

NONE_OF_THESE, NOT_SAID = "-", ""
WORK = {Kind.STATEMENTS: "vote", Kind.ARENA: "compare"}
"""The page on which people do what they came for."""
GUESSES = Limit("invitation", 20, 600)
"""Links that are none, from one address, whether they are opened or sent with a form."""


class Question(NamedTuple):
    """What people are asked about themselves."""

    key: str
    text: str
    options: tuple[tuple[str, str], ...]
    """Answer and words for it."""


@lru_cache(maxsize=64)
def population_of(text: str) -> Population | None:
    """The population file of a conversation; None if it has none."""
    return read_population(text, Path("population")) if text.strip() else None


def questions_of(talk: Conversation, say: Language) -> list[Question]:
    """Screening first, then attributes. An attribute need not be said. Each column is asked once."""
    population = population_of(talk.population)
    if population is None:
        return []
    other = (NONE_OF_THESE, say("None of these"))
    screened = {one.column: one for one in reversed(population.screening)}
    screening = [
        Question(name, one.question or name, (*((text, text) for text in _answers(population, name)), other))
        for name, one in reversed(screened.items())
    ]
    attributes = [
        Question(name, one.question or name, (*((text, text) for text in (*one.shares, *one.merge)),))
        for name, one in population.attributes.items()
        if name not in screened
    ]
    silent = ((NOT_SAID, say("I would rather not say")),)
    return screening + [one._replace(options=one.options + silent) for one in attributes]


def _answers(population: Population, column: str) -> list[str]:
    """All that is offered for a column that is screened; an attribute may share it."""
    screening = [(*one.accepted, *one.other) for one in population.screening if one.column == column]
    attribute = population.attributes.get(column)
    return list(dict.fromkeys(chain(*screening, *((attribute.shares, attribute.merge) if attribute else ()))))


def invitation(visit: Visit) -> Answer:
    """The consent page for whoever has an invitation."""
    found = people.invited_to(visit.db, visit.site.signer.hashed(visit.part("token")))
    if found is None:
        visit.count(GUESSES)  # not those that are known: a class opens its links from one address
    elif people.participant_of(visit.db, found.talk, visit.browser.hash):
        return visit.go("questions", slug=found.talk.slug)  # who takes part already leaves it to somebody else
    if found is None or found.used or found.talk.state != State.OPEN:
        title = mark("This invitation cannot be used any more")
        raise gone(title, mark("It was used before, is cut off, or the conversation is over."))
    talk = found.talk
    return _consent(visit, talk, invitation=visit.part("token"))


def consent(visit: Visit) -> Answer:
    if visit.participant is not None:
        return visit.go("questions", slug=visit.talk.slug)
    _require_joinable(visit, visit.talk, invitation="")
    return _consent(visit, visit.talk)


def join(visit: Visit) -> Answer:
    """A form that is sent twice, or whose answer is lost, finds who sent it where they are."""
    talk, token = visit.talk, visit.form["invitation"]
    if visit.participant is not None:
        return visit.go("questions", slug=talk.slug)
    _require_joinable(visit, talk, token)
    if not visit.form.ticked("consent"):
        fault = visit.say("Tick the box to take part. If you do not want to, you need do nothing.")
        return _consent(visit, talk, invitation=token, fault=fault)
    if talk.invited:
        _use_invitation(visit, token)
    else:
        visit.count(newcomers(talk))
    people.join(visit.db, talk, visit.browser.hash, Stage.ASKED if talk.population.strip() else Stage.IN)
    return visit.go("questions", slug=talk.slug)


def newcomers(talk: Conversation) -> Limit:
    """People who may join from one address: a hall or a library has one for all. Invitations are limit enough."""
    return Limit(f"join {talk.slug}", talk.newcomers, 3600)


def _use_invitation(visit: Visit, token: str) -> None:
    if not people.use_invitation(visit.db, visit.talk, visit.site.signer.hashed(token)):
        visit.count(GUESSES)
        raise gone(mark("This invitation cannot be used any more"), mark("It was used before, or is cut off."))


def questions(visit: Visit) -> Answer:
    """The questions, or where somebody stands who answered them; nobody is kept waiting by questions that are gone."""
    if visit.me.state == Stage.ASKED and population_of(visit.talk.population) is None:
        visit.me.state = Stage.IN
    if visit.me.state == Stage.IN:
        return visit.go(WORK[Kind(visit.talk.kind)], slug=visit.talk.slug)
    if visit.me.state != Stage.ASKED:
        told = removals.history(visit.db, visit.me)[-1] if visit.me.state == Stage.REMOVED else None
        return visit.render("turned-away.html.j2", full=visit.me.state == Stage.FULL, removal=told)
    return _questions(visit, {})


def answer(visit: Visit) -> Answer:
    population = population_of(visit.talk.population)
    if visit.me.state != Stage.ASKED or population is None:
        return visit.go("questions", slug=visit.talk.slug)
    asked = questions_of(visit.talk, visit.say)
    answers = {one.key: visit.form[f"q{nth}"] for nth, one in enumerate(asked)}
    faults = {
        f"q{nth}": visit.say("Choose an answer: %(question)s", question=one.text)
        for nth, one in enumerate(asked)
        if not any(name == f"q{nth}" for name, _ in visit.form.fields)
        or answers[one.key] not in [value for value, _ in one.options]
    }
    if faults:
        return _questions(visit, faults)
    people.take_seat(visit.db, visit.talk, visit.me, population, answers)
    return visit.go("questions", slug=visit.talk.slug)


def _require_joinable(visit: Visit, talk: Conversation, invitation: str) -> None:
    if talk.state != State.OPEN:
        raise Trouble(409, mark("This conversation is closed"), mark("Nobody can vote or write any more."))
    if (there := arenas.people_of(visit.db, talk)) and not _takes_part(visit, there):
        title = mark("This is for people of another conversation")
        raise Trouble(403, title, mark("Come with the browser in which you took part in it."))
    if talk.invited and not invitation:
        raise Trouble(403, mark("This conversation is by invitation"), mark("Open the link that you were sent."))


def _takes_part(visit: Visit, talk: Conversation) -> bool:
    found = people.participant_of(visit.db, talk, visit.browser.hash)
    return found is not None and found.state == Stage.IN


def _consent(visit: Visit, talk: Conversation, *, invitation: str = "", fault: str = "") -> Answer:
    there = arenas.people_of(visit.db, talk)
    told = {"talk": talk, "invitation": invitation, "fault": fault, "people_of": there}
    return visit.render("consent.html.j2", status=422 if fault else 200, **told)


def _questions(visit: Visit, faults: Mapping[str, str]) -> Answer:
    asked = questions_of(visit.talk, visit.say)
    told = {"asked": asked, "faults": faults, "given": dict(visit.form.fields)}
    return visit.render("questions.html.j2", status=422 if faults else 200, **told)


PAGES = (
    page("/i/{token}", invitation, Access.ANYONE),
    page("/c/{slug}/join", consent, Access.ANYONE),
    action("/c/{slug}/join", join, Access.ANYONE),
    page("/c/{slug}/questions", questions, Access.JOINED, writes=True),
    action("/c/{slug}/questions", answer, Access.JOINED),
)
