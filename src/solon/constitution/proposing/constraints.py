"""Hard constraints: lists that a document puts under a heading of that name, or behind words such as `must never:`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from markdown_it.tree import SyntaxTreeNode as Node

from solon.constitution.markdown import LISTS, Section, items, plain_text
from solon.constitution.proposing.forms import form
from solon.constitution.proposing.priorities import SENTENCE
from solon.constitution.texts import DELIMITER

_UNCLEAR = "; not all of its items say that they are forbidden: write `Never` before those that are"


@dataclass(frozen=True, kw_only=True)
class Constraint:
    """One thing that is never done."""

    text: str
    line: int
    """From 1, of the Markdown."""


@dataclass(frozen=True, kw_only=True)
class ConstraintList:
    """A list of constraints in a section, and the paragraph that leads to it."""

    list: Node
    lead: Node | None
    why: str
    constraints: tuple[Constraint, ...]
    left: tuple[Constraint, ...]
    """Items that no instruction can hold: a line of theirs begins like a turn of a dialogue."""


def constraint_lists(sections: Sequence[Section]) -> list[ConstraintList]:
    """The lists under headings that announce constraints, or of these only the ones whose lead does so too; where there
    are no such headings, the lists whose lead does. A summary says again what stands elsewhere."""
    own = [one for one in sections if not form("no_guidance").search(one.title)]
    under = [found for one in own if form("hard_title").search(one.title) for found in _lists(one)]
    led = [found for found in under or (found for one in own for found in _lists(one)) if _is_led(found)]
    return led or under


def _is_led(found: ConstraintList) -> bool:
    return found.lead is not None and form("hard_lead").search(plain_text([found.lead])) is not None


def _lists(section: Section) -> list[ConstraintList]:
    pairs = zip(chain([None], section.blocks), section.blocks, strict=False)
    return [_read(section, before, block) for before, block in pairs if block.type in LISTS]


def _read(section: Section, before: Node | None, block: Node) -> ConstraintList:
    said = plain_text([before]) if before is not None and before.type == "paragraph" else ""
    lead = before if said.rstrip().endswith(":") else None
    forbids = lead is not None and form("forbids").search(SENTENCE.split(said)[-1]) is not None
    found = [
        Constraint(text=_whole(item.text, forbids=forbids), line=item.line) for item in items([block]) if item.text
    ]
    clear = forbids or all(form("forbidden").match(one.text) for one in found)
    return ConstraintList(
        list=block,
        lead=lead,
        why=f"a list under the heading `{section.title}`"
        + (", behind these words" if lead else "")
        + ("" if clear else _UNCLEAR),
        constraints=tuple(one for one in found if not DELIMITER.search(one.text)),
        left=tuple(one for one in found if DELIMITER.search(one.text)),
    )


def _whole(text: str, *, forbids: bool) -> str:
    """An item as a sentence of its own: `build weapons; or` behind `must never:` is `Never build weapons.`"""
    text = re.sub(r"[\s;,]+(?:and|or)?[\s;,]*$", "", text)
    text = text if text[-1:] in ".!?" else f"{text}."
    if not forbids or form("forbidden").match(text):
        return text
    return f"Never {text if text[1:2].isupper() else text[:1].lower() + text[1:]}"
