"""The document that a constitution is proposed from, as Markdown, and where each part of it stands in the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from markdown_it.tree import SyntaxTreeNode as Node

from solon.constitution.files import read_text
from solon.constitution.markdown import Section, plain_text, sections
from solon.constitution.proposing.page import read_page
from solon.errors import ConstitutionError, Where

PAGES = (".html", ".htm")
_FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, kw_only=True)
class Manuscript:
    """A document with a title, what stands below it, and sections."""

    path: Path
    title: str
    opening: Sequence[Node]
    """Blocks before the first section."""
    sections: Sequence[Section]
    rows: Sequence[str]
    """Its lines as Markdown."""
    numbers: Sequence[int]
    """The line of the file that each of them comes from."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Words of a page that are no prose, by element."""

    @property
    def parts(self) -> list[Section]:
        """What stands below the title, and the sections."""
        line = next((block.map[0] + 1 for block in self.opening if block.map), 1)
        return [Section(level=1, title=self.title, attributes=(), line=line, blocks=self.opening), *self.sections]

    def line(self, block: Node | int) -> int:
        """Where a block, or a line of the Markdown counted from 1, stands in the file."""
        row = block if isinstance(block, int) else (block.map or (0, 0))[0] + 1
        return self.numbers[min(row, len(self.numbers)) - 1]

    def source(self, block: Node) -> str:
        """A block as it was written. A fence that nobody closed is closed."""
        first, last = block.map or (0, 0)
        text = "\n".join(self.rows[first:last]).strip("\n")
        closed = block.type != "fence" or (last - first > 1 and _FENCE.match(self.rows[last - 1]))
        return text if closed else f"{text}\n{block.markup}"

    @property
    def definitions(self) -> list[str]:
        """Lines that belong to no block: where links of the form `[text][name]` lead."""
        found = [*self.opening, *(block for one in self.sections for block in one.blocks)]
        taken = {row for block in found for row in range(*(block.map or (0, 0)))}
        return [row for at, row in enumerate(self.rows) if at not in taken and re.match(r" {0,3}\[[^\]]+\]:\s", row)]


def read_manuscript(path: Path) -> Manuscript:
    """A .md or .html file. Raises ConstitutionError if it cannot be read or says nothing."""
    text = read_text(path, hint="give a document in Markdown or HTML")
    if not text.strip():
        raise ConstitutionError("is empty", where=Where(path), hint="give the document that the constitution stands in")
    numbers: Sequence[int] = range(1, text.count("\n") + 2)
    left_out: Mapping[str, int] = {}
    if path.suffix.lower() in PAGES:
        page = read_page(text)
        text, numbers, left_out = page.text, page.lines, page.left_out
    found = sections(text)
    if not any(plain_text(one.blocks) for one in found):
        hint = "a page that writes its text by a script has none in the file; save it from a browser as text"
        raise ConstitutionError("has no text", where=Where(path), hint=hint if left_out or not numbers else None)
    title, opening, rest = _titled(found, path)
    return Manuscript(
        path=path,
        title=title,
        opening=opening,
        sections=rest,
        rows=text.split("\n"),
        numbers=numbers,
        left_out=left_out,
    )


def _titled(found: Sequence[Section], path: Path) -> tuple[str, Sequence[Node], Sequence[Section]]:
    """The first heading is the title if it is the highest. A document with no other heading is one section."""
    first, *rest = found
    title, opening = path.stem, first.blocks
    if rest and all(rest[0].level < one.level for one in rest[1:]):
        head = rest.pop(0)
        title, opening = head.title or title, (*opening, *head.blocks)
    if not any(one.text for one in rest):
        return title, (), [Section(level=2, title=title, attributes=(), line=first.line, blocks=opening), *rest]
    return title, opening, rest
