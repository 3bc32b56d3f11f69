"""Sentences: how the world says a thing, and how the oracle recognizes it again.

Every sentence of an answer is one of a finite list of patterns with entities in the slots. Saying fills a pattern;
reading puts the slots back and looks the pattern up, so the two cannot disagree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

from solon.world.lexicon import lexicon

SentenceKind = Literal[
    "harm", "objection", "alternative", "tip", "opener", "closing", "evasive", "preachy", "rude", "unknown"
]
SLOTS = ("person", "object", "place")


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Who, what and where. One of each."""

    person: str
    object: str
    place: str

    def fill(self, pattern: str) -> str:
        """Slots replaced; `{Person}` is the person at the start of a sentence."""
        text = pattern.replace("{Person}", capitalize(self.person))
        for slot in SLOTS:
            text = text.replace("{" + slot + "}", getattr(self, slot))
        return text


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """What a sentence pattern means."""

    kind: SentenceKind
    category: str | None = None
    """The harm told, or the harm an objection names."""
    task: str | None = None
    """The task a tip belongs to."""
    clause: str | None = None
    """The act or tip inside the frame, as a pattern."""


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """One sentence of an answer with its meaning and the entities it names, slot -> name."""

    text: str
    meaning: Meaning
    entities: tuple[tuple[str, str], ...] = ()


def capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def frame_clause(frame: str, clause: str) -> str:
    """`{c}` becomes the clause, `{C}` the clause at the start of a sentence."""
    if frame.startswith("{C}"):
        first = "{Person}" if clause.startswith("{person}") else None
        clause = first + clause[len("{person}") :] if first else capitalize(clause)
        return frame.replace("{C}", clause)
    return frame.replace("{c}", clause)


def _answer_patterns() -> Iterator[tuple[str, Meaning]]:
    lex = lexicon()
    for harm in lex.harms.values():
        for act in harm.acts:
            for frame in lex.frame["harm"]:
                yield frame_clause(frame, act), Meaning(kind="harm", category=harm.name, clause=act)
        for noun in harm.objection_nouns():
            for pattern in lex.phrases["objection"]:
                yield pattern.replace("{noun}", noun), Meaning(kind="objection", category=harm.name)
    for task, tips in lex.tasks.items():
        for tip in tips:
            for frame in lex.frame["task"]:
                yield frame_clause(frame, tip), Meaning(kind="tip", task=task, clause=tip)
    simple: tuple[SentenceKind, ...] = ("opener", "closing", "alternative", "evasive", "preachy", "rude")
    for kind in simple:
        for pattern in lex.phrases[kind]:
            yield pattern, Meaning(kind=kind)


def build_table(patterns: Iterator[tuple[str, Meaning]]) -> dict[str, Meaning]:
    table: dict[str, Meaning] = {}
    for pattern, meaning in patterns:
        if table.setdefault(pattern, meaning) != meaning:
            raise AssertionError(f"the world says one thing with two meanings: {pattern!r}")
    return table


@cache
def answer_patterns() -> dict[str, Meaning]:
    """Every sentence an answer may consist of, as pattern -> meaning."""
    return build_table(_answer_patterns())


@cache
def _entity_expression() -> re.Pattern[str]:
    names = sorted((name for slot in SLOTS for name in lexicon().entities(slot, "all")), key=len, reverse=True)
    return re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, names)) + r")(?![\w-])", re.IGNORECASE)


@cache
def _slot_of() -> dict[str, str]:
    return {name: slot for slot in SLOTS for name in lexicon().entities(slot, "all")}


def generalize(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Entities replaced by their slots, and the entities in order.

    >>> generalize("The baker left the coat at the bank.")[0]
    '{Person} left {object} at {place}.'
    """
    found: list[tuple[str, str]] = []

    def replace(match: re.Match[str]) -> str:
        written = match.group()
        name = written[:1].lower() + written[1:]
        slot = _slot_of().get(name)
        if slot is None:
            return written
        found.append((slot, name))
        return "{" + (capitalize(slot) if written[0].isupper() else slot) + "}"

    return _entity_expression().sub(replace, text), tuple(found)


def split_sentences(text: str) -> list[str]:
    """Sentences end in a full stop, question or exclamation mark before white space or the end."""
    return [part for part in re.split(r"(?<=[.?!])\s+", text.strip()) if part]


def read_sentence(text: str) -> Sentence:
    """What a sentence of an answer means; `unknown` if the world never says it."""
    pattern, entities = generalize(text)
    meaning = answer_patterns().get(pattern, Meaning(kind="unknown"))
    return Sentence(text=text, meaning=meaning, entities=entities)


def say(pattern: str, situation: Situation | None) -> Sentence:
    """One sentence from a pattern of `answer_patterns`."""
    text = situation.fill(pattern) if situation else pattern
    meaning = answer_patterns()[pattern]
    names = tuple((slot, getattr(situation, slot)) for slot in re.findall(r"{(\w+)}", pattern.lower()))
    return Sentence(text=text, meaning=meaning, entities=names)
