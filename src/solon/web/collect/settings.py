"""The settings of a conversation as a form: what it says, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from babel import Locale, UnknownLocaleError

from solon.errors import UserError
from solon.report.public.language import Language
from solon.web.collect.joining import population_of
from solon.web.db.tables import Conversation, Kind, Results
from solon.web.forms import Form

LONGEST_LINE, LONGEST_TEXT = 200, 20_000
LINES = ("topic", "organiser", "contact", "language")
TEXTS = ("description", "consent", "population", "criteria")
TICKS = ("invited", "listed", "strict", "second_look")
CHOICES = {"results": tuple(Results)}
NUMBERS = {
    "votes_before_writing": (0, 1000),
    "longest": (20, 1000),
    "least_views": (0, 1000),
    "seeds_first": (0, 1000),
    "newcomers": (1, 100_000),
}
"""Least and most of each; Polis keeps statements of up to 1,000 characters."""
ABOUT_STATEMENTS = {"criteria", "strict", "second_look", *NUMBERS} - {"newcomers"}
"""What an arena has not."""


class Filled(NamedTuple):
    """A form that was read."""

    values: dict[str, Any]
    faults: dict[str, str]
    """By field, in words."""


def shown(talk: Conversation) -> dict[str, Any]:
    """The settings that its kind has, as they are, by field."""
    every = (*LINES, *TEXTS, *TICKS, *CHOICES, *NUMBERS)
    return {name: getattr(talk, name) for name in every if talk.kind == Kind.STATEMENTS or name not in ABOUT_STATEMENTS}


def read(form: Form, say: Language, known: Collection[str]) -> Filled:
    """Every field that is `known` with its value as typed, and every fault at once."""
    values, faults = _read(form, say)
    return Filled(*({name: one for name, one in found.items() if name in known} for found in (values, faults)))


def _read(form: Form, say: Language) -> Filled:
    lines = {name: form.line(name) for name in LINES}
    texts = {name: form[name] for name in TEXTS}
    numbers = {name: form.number(name, least=least, most=most) for name, (least, most) in NUMBERS.items()}
    values: dict[str, Any] = {**lines, **texts, **{name: form.ticked(name) for name in TICKS}, **numbers}
    values |= {name: form[name] for name in CHOICES}
    faults = {
        name: say("Write a whole number from %(least)s to %(most)s.", least=least, most=most)
        for name, (least, most) in NUMBERS.items()
        if numbers[name] is None
    }
    long = dict.fromkeys(LINES, LONGEST_LINE) | dict.fromkeys(TEXTS, LONGEST_TEXT)
    faults |= {
        name: say("At most %(most)s characters.", most=say.number(most))
        for name, most in long.items()
        if len(values[name]) > most
    }
    return Filled(
        values | {name: form[name] for name in numbers if numbers[name] is None}, faults | _others(values, say)
    )


def _others(values: Mapping[str, Any], say: Language) -> dict[str, str]:
    faults = {name: say("Choose one of these.") for name, known in CHOICES.items() if values[name] not in known}
    if not values["topic"]:
        faults["topic"] = say("Write what it is about.")
    if not values["criteria"]:
        faults["criteria"] = say("Write at least one.")
    if values["language"] and not _is_language(values["language"]):
        faults["language"] = say("Write a tag such as en, de or pt-BR, or nothing.")
    try:
        population_of(values["population"])
    except UserError as error:
        faults["population"] = " ".join(str(fault) for fault in error.faults)
    return faults


def _is_language(tag: str) -> bool:
    try:
        return re.fullmatch("[A-Za-z0-9-]+", tag) is not None and Locale.parse(tag, sep="-") is not None
    except (ValueError, UnknownLocaleError):
        return False
