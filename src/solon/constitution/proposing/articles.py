"""The articles that a document proposes: its headings with their text, long ones in parts, and what is no article."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it.tree import SyntaxTreeNode as Node

from solon.constitution.document import PARTS, id_of, key_of
from solon.constitution.lint import LONG_ARTICLE
from solon.constitution.markdown import Section, plain_text
from solon.constitution.principles import WHOLE
from solon.constitution.proposing.forms import form
from solon.constitution.texts import DELIMITER

_ATTRIBUTE = re.compile(r"[#.][A-Za-z0-9][\w.-]*|weight=(?:\d+\.?\d*|\.\d+)", re.ASCII)
_RUN_IN = re.compile(r"(\*\*|__)(?P<title>[^*_\n]*[^*_\s.:])(?:[.:]\1|\1(?:[.:]|\s*$|\s*\n))")
MOST_WORDS = 8
"""Of bold words that may be a heading. Assumption."""
_BY_TITLE = "by its title, or one above it, it says nothing of its own about what the assistant should do"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A proposed article, or a heading above some."""

    id: str
    title: str
    level: int
    line: int
    """From 1, of the Markdown."""
    why: str
    blocks: Sequence[Node] = ()
    """None: a heading above others."""
    attributes: tuple[str, ...] = ()
    """Tags and weight that its heading had."""
    above: tuple[str, ...] = ()
    part: bool = False
    """Whether it is a part of a longer section."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """What became no part of the proposal, and why."""

    title: str
    line: int
    why: str
    blocks: Sequence[Node] = ()


def drafts(sections: Sequence[Section], taken: Collection[int]) -> tuple[list[Draft], list[Leftover]]:
    """The sections as articles, and what is none. `taken`: `id` of the blocks that have another place already."""
    made: list[Draft] = []
    left: list[Leftover] = []
    outside = 7
    for number, section in enumerate(sections, start=1):
        outside = 7 if section.level <= outside else outside
        if section.level > outside or form("no_guidance").search(section.title):
            outside = min(outside, section.level)
            left.append(Leftover(title=section.title, line=section.line, why=_BY_TITLE, blocks=section.blocks))
            continue
        left += _unreadable(section)
        free = [block for block in section.blocks if id(block) not in taken and block.type != "hr"]
        blocks = [block for block in free if not _fault(block)]
        made += _in_parts(_draft(section, number, blocks, made), made)
    groups = {name for one in made if one.blocks for name in one.above}
    placed = [one for one in made if one.blocks or one.id in groups]
    lines = {one.line for one in placed} | {one.line for one in left}
    empty = [one for one in sections if all(block.type == "hr" for block in one.blocks) and one.line not in lines]
    left += [Leftover(title=one.title, line=one.line, why="there is no text below it") for one in empty]
    return placed, left


def _unreadable(section: Section) -> Iterator[Leftover]:
    for block in section.blocks:
        if why := _fault(block):
            yield Leftover(title=section.title, line=line_of(block, section), why=why, blocks=(block,))


def _fault(block: Node) -> str | None:
    """Why no article can hold a block."""
    if block.type == "html_block":
        return "HTML, which no model reads"
    turn = DELIMITER.search(plain_text([block]))
    return turn and f"a line begins with `{turn[1]}:`, like a turn of a dialogue; begin it with another word"


def line_of(block: Node, section: Section) -> int:
    return block.map[0] + 1 if block.map else section.line


def _draft(section: Section, number: int, blocks: Sequence[Node], made: Sequence[Draft]) -> Draft:
    kept = [one for one in section.attributes if _ATTRIBUTE.fullmatch(one)]
    odd = [one for one in section.attributes if one not in kept]
    title = section.title or f"Section {number}"
    title = f"About: {title}" if key_of(title) in PARTS or DELIMITER.match(title) else title
    own = next((one[1:] for one in kept if one.startswith("#")), None)
    parent = next((one for one in reversed(made) if one.level < section.level and not one.part), None)
    return Draft(
        id=_free(own or id_of(title, number), made),
        title=title,
        level=section.level,
        line=section.line,
        why="a heading and its text" + (f"; of its braces not taken: {', '.join(odd)}" if odd else ""),
        blocks=blocks if plain_text(blocks) else (),
        attributes=tuple(one for one in kept if not one.startswith("#")),
        above=(*parent.above, parent.id) if parent else (),
    )


def _free(name: str, made: Sequence[Draft]) -> str:
    """`name`, or `name-2`, `name-3`, ..., whichever is not taken."""
    taken = {WHOLE, *(one.id for one in made)}
    names = (name, *(f"{name}-{count}" for count in range(2, len(made) + 3)))
    return next(one for one in names if one not in taken)


# Long sections.


def _in_parts(draft: Draft, made: Sequence[Draft]) -> list[Draft]:
    """A section longer than one article should be, as several below its heading."""
    words = _words(draft.blocks)
    parts = _grouped(list(_units(draft.blocks))) if words > LONG_ARTICLE and draft.level < 6 else []
    if len(parts) < 2:
        return [draft]
    found = [replace(draft, blocks=(), why=f"its text has {words} words; the articles are parts of it")]
    title, count = draft.title, 0
    for number, part in enumerate(parts, start=1):
        run_in = _run_in(part[0])
        title, count = (run_in, 1) if run_in else (title, count + 1)
        found.append(
            Draft(
                id=_free(f"{draft.id}-{number}", [*made, *found]),
                title=run_in or f"{title} ({count})",
                level=draft.level + 1,
                line=part[0].map[0] + 1 if part[0].map else draft.line,
                why="bold words begin it" if run_in else f"part {number} of {len(parts)}",
                blocks=part,
                above=(*draft.above, draft.id),
                part=True,
            )
        )
    return found


def _units(blocks: Sequence[Node]) -> Iterator[list[Node]]:
    """Blocks that belong together: bold words alone or a paragraph that ends with a colon, and what follows."""
    unit: list[Node] = []
    for block in blocks:
        unit.append(block)
        text = plain_text([block]).rstrip()
        if not (text.endswith(":") or text == _run_in(block)):
            yield unit
            unit = []
    if unit:
        yield unit


def _grouped(units: Sequence[list[Node]]) -> list[list[Node]]:
    """Units as parts of about one size, none longer than an article should be unless a single unit is. Bold words at
    the beginning begin a part."""
    total = sum(map(_words, units))
    size = total / -(-total // LONG_ARTICLE)
    parts: list[list[Node]] = []
    for unit in units:
        words = _words(parts[-1]) if parts else 0
        if not parts or words >= size or words + _words(unit) > LONG_ARTICLE or _run_in(unit[0]):
            parts.append([])
        parts[-1] += unit
    return parts


def _run_in(block: Node) -> str | None:
    """The bold words that a paragraph begins with, if they are set off as its heading: `**Honesty.** It says ...`"""
    found = _RUN_IN.match(block.children[0].content) if block.type == "paragraph" and block.children else None
    if found is None or len(found["title"].split()) > MOST_WORDS:
        return None
    return re.sub(r"\\([^\w\s])", r"\1", found["title"])


def _words(blocks: Sequence[Node]) -> int:
    return len(plain_text(blocks).split())
