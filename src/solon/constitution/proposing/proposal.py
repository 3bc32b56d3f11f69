"""A constitution proposed from a document, and the file in which a person corrects and confirms it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markdown_it.tree import SyntaxTreeNode as Node

from solon.constitution.document import PARTS, key_of
from solon.constitution.markdown import Section, items, plain_text
from solon.constitution.proposing.articles import Draft, Leftover, drafts, line_of
from solon.constitution.proposing.constraints import ConstraintList, constraint_lists
from solon.constitution.proposing.manuscript import Manuscript, read_manuscript
from solon.constitution.proposing.names import Named, Names
from solon.constitution.proposing.priorities import SENTENCE, Order, Said, about_priority, may_rank, order_of
from solon.errors import ConstitutionError, Where


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What a document seems to say. Lines count from 1, in the manuscript's Markdown."""

    manuscript: Manuscript
    opening: Sequence[Node]
    """What describes the document."""
    drafts: Sequence[Draft]
    constraints: Sequence[ConstraintList]
    order: Order
    left: Sequence[Leftover]

    @property
    def articles(self) -> list[Draft]:
        return [one for one in self.drafts if one.blocks]


def propose(path: Path) -> Proposal:
    """Reads a .md or .html file. Raises ConstitutionError if it cannot be read or says nothing."""
    manuscript = read_manuscript(path)
    constraints = constraint_lists(manuscript.parts)
    orders = list(_orders(manuscript.sections))
    taken = {id(block) for one in constraints for block in (one.list, one.lead)}
    taken |= {id(block) for one in orders for block in one.blocks}
    made, left = drafts(manuscript.sections, taken)
    if not any(one.blocks for one in made):
        hint = "write below headings what the assistant should do"
        raise ConstitutionError("has no text for an article", where=Where(path), hint=hint)
    named = [Named(id=one.id, title=one.title, level=one.level, above=one.above) for one in made if not one.part]
    return Proposal(
        manuscript=manuscript,
        opening=[block for block in manuscript.opening if id(block) not in taken],
        drafts=made,
        constraints=constraints,
        order=order_of(_said(manuscript.parts, left), Names(named, manuscript.title)),
        left=[*left, *orders],
    )


def _orders(sections: Sequence[Section]) -> Iterator[Leftover]:
    """The numbered lists under headings of that name: the order is read from them, and written anew."""
    for one in sections:
        if found := [block for block in one.blocks if _is_order(one) and block.type == "ordered_list"]:
            why = "the order of precedence was read from it"
            yield Leftover(title=one.title, line=line_of(found[0], one), why=why, blocks=found)


def _is_order(section: Section) -> bool:
    return PARTS.get(key_of(section.title)) == "precedence"


def _said(sections: Sequence[Section], left: Sequence[Leftover]) -> Iterator[Said]:
    """Sentences about priority, and the numbered lists that they speak of; of sections without a place last."""
    unplaced = {one.line for one in left}
    for section in sorted(sections, key=lambda one: one.line in unplaced):
        blocks = section.blocks
        for place, block in enumerate(blocks):
            near = [plain_text([one]) for one in blocks[max(0, place - 1) : place + 2] if one.type == "paragraph"]
            if block.type == "ordered_list" and (_is_order(section) or any(map(about_priority, near))):
                found = items([block])
                first = tuple(
                    one.link.removeprefix("#").replace("-", " ") if one.link else _lead(one.text) for one in found
                )
                yield Said(text=plain_text([block]), line=line_of(block, section), items=first)
            elif block.type != "html_block":
                yield from _sentences(block, line_of(block, section))


def _lead(text: str) -> str:
    """What an item names: its words before a colon or a dash."""
    for mark in (":", " - ", " – ", " — ", "—", ". "):
        text = text.split(mark)[0]
    return text


def _sentences(block: Node, line: int) -> Iterator[Said]:
    texts = [item.text for item in items([block])] or [plain_text([block])]
    for text in texts:
        yield from (Said(text=" ".join(one.split()), line=line) for one in SENTENCE.split(text) if may_rank(one))
