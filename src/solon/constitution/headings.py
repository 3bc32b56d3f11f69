"""The headings of a document: their ids, tags and weights, what stands above them, and how they are found by name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from solon.constitution.faults import Faults
from solon.constitution.markdown import Section

ATTRIBUTES = "braces after a heading may hold an id, tags and a weight: `{#id .tag weight=2}`"


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A heading with what stands below it: an article if it has text of its own, else a group of articles."""

    id: str
    title: str
    text: str
    """Plain text up to the next heading; empty for a group."""
    tags: tuple[str, ...]
    """Its own, then the ids of the headings above it."""
    weight: float
    line: int
    above: tuple[str, ...]
    """Ids of the headings above it, outermost first."""


def read_headings(sections: Sequence[Section], faults: Faults) -> list[Heading]:
    """Headings in the order of the document. A subheading belongs to the nearest higher heading before it."""
    headings: list[Heading] = []
    open_above: list[tuple[int, str]] = []
    first: dict[str, int] = {}
    for number, section in enumerate(sections, start=1):
        name, tags, weight = _attributes(section, number, faults)
        while open_above and open_above[-1][0] >= section.level:
            open_above.pop()
        above = tuple(name for _, name in open_above)
        open_above.append((section.level, name))
        has_deeper = number < len(sections) and sections[number].level > section.level
        if not section.title:
            faults.add("a heading is empty", section.line, "give the article a title")
        elif not section.text and not has_deeper:
            faults.add(f"the article `{section.title}` has no text", section.line, "write it, or remove the heading")
        if name in first:
            hint = f"the first stands on line {first[name]}; give one an id in braces, such as `{{#{name}-2}}`"
            faults.add(f"two headings have the id `{name}`", section.line, hint)
        first.setdefault(name, section.line)
        headings.append(
            Heading(
                id=name,
                title=section.title,
                text=section.text,
                tags=tuple(dict.fromkeys((*tags, *above))),
                weight=weight,
                line=section.line,
                above=above,
            )
        )
    return headings


def key(text: str) -> str:
    """What of a title or id counts when one is looked up: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")


def _attributes(section: Section, number: int, faults: Faults) -> tuple[str, list[str], float]:
    """Id, tags and weight of a heading: what its braces say, else an id made from its title, no tags, weight 1."""
    plain = unicodedata.normalize("NFKD", section.title).encode("ascii", "ignore").decode()
    name = key(plain) or f"article-{number}"
    tags: list[str] = []
    weight = 1.0
    for attribute in section.attributes:
        if attribute.startswith("#"):
            name = attribute[1:]
        elif attribute.startswith("."):
            tags.append(attribute[1:])
        elif re.fullmatch(r"weight=[-+]?(\d+\.?\d*|\.\d+)", attribute):
            weight = float(attribute.removeprefix("weight="))
        else:
            faults.add(f"`{attribute}` is not an attribute of a heading", section.line, ATTRIBUTES)
    return name, tags, weight
