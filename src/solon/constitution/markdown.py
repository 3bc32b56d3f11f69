"""A Markdown text as sections: headings, and what stands under each as plain text.

CommonMark has two kinds of headings, code blocks that look like headings, comments and lazy lists; the parser that
`rich` already brings along knows all of it and keeps line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode as Node

_ATTRIBUTES = re.compile(r"\s*(?<!\\)\{\s*((?:[#.]|(?:weight|confirmed)\s*=)[^{}]*)\}\s*$")
LISTS = ("bullet_list", "ordered_list")
_BREAKS = {"softbreak": " ", "hardbreak": "\n", "html_inline": ""}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One item of a list."""

    text: str
    line: int
    """From 1."""
    link: str | None
    """Where its first link leads."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading and the blocks up to the next heading."""

    level: int
    """1 to 6; 0 for what stands before the first heading."""
    title: str
    attributes: tuple[str, ...]
    """What stood in braces at the end of the heading, e.g. `#safety`, `.harm`, `weight=2`."""
    line: int
    blocks: Sequence[Node]

    @property
    def text(self) -> str:
        return plain_text(block for block in self.blocks if not _has_own_words(block))

    @property
    def own_words(self) -> list[tuple[str, int]]:
        """What its code blocks ```` ```toml principle ```` hold, and their lines."""
        return [(block.content, _line(block)) for block in self.blocks if _has_own_words(block)]


def sections(text: str) -> list[Section]:
    """The sections of a Markdown text in order; the first is what stands before any heading."""
    blocks = Node(MarkdownIt("commonmark").parse(text)).children
    heads = [place for place, block in enumerate(blocks) if block.type == "heading"]
    borders = [*heads, len(blocks)]
    opening = Section(level=0, title="", attributes=(), line=1, blocks=blocks[: borders[0]])
    return [opening, *(_section(blocks[begin], blocks[begin + 1 : end]) for begin, end in pairwise(borders))]


def html_lines(text: str) -> list[int]:
    """The lines of blocks with HTML that `plain_text` leaves out, comments aside. From 1."""
    nodes = Node(MarkdownIt("commonmark").parse(text)).walk()
    return sorted({_line(node) for node in nodes if any(_is_markup(part) for part in _parts(node))})


def _parts(node: Node) -> Sequence[Node]:
    """Of a line of text its pieces, which have no line of their own."""
    return node.children if node.type == "inline" else (node,) if node.type == "html_block" else ()


def _is_markup(part: Node) -> bool:
    return part.type in ("html_inline", "html_block") and not part.content.lstrip().startswith("<!--")


def _section(head: Node, blocks: Sequence[Node]) -> Section:
    heading = _inline(head.children[0])
    found = _ATTRIBUTES.search(heading) if _ATTRIBUTES.search(head.children[0].content) else None
    attributes = re.sub(r"\s*=\s*", "=", found[1]).split() if found else []
    title = heading[: found.start()] if found else heading
    return Section(
        level=int(head.tag[1]), title=title.strip(), attributes=tuple(attributes), line=_line(head), blocks=blocks
    )


def _has_own_words(block: Node) -> bool:
    return block.type == "fence" and block.info.split() == ["toml", "principle"]


def items(blocks: Sequence[Node], kinds: Sequence[str] = LISTS) -> list[Item]:
    """The items of the outermost lists of these kinds; a list inside an item belongs to the item's text."""
    found = [item for block in blocks if block.type in kinds for item in block.children]
    return [Item(text=plain_text(item.children), line=_line(item), link=_first_link(item)) for item in found]


def plain_text(blocks: Iterable[Node]) -> str:
    """Blocks without their mark-up; list items keep `- ` or their number, comments and raw HTML are left out."""
    text, listed_before = "", False
    for listed, block in _texts(blocks):
        text += ("\n" if listed and listed_before else "\n\n") + block
        listed_before = listed
    return text.strip()


def _texts(blocks: Iterable[Node], lead: str = "", depth: int = 0) -> Iterator[tuple[bool, str]]:
    """Whether it stands in a list, and the text, of each block within `depth` lists. The first begins with `lead`."""
    for block in blocks:
        if block.type in LISTS:
            for number, item in enumerate(block.children, start=int(block.attrs.get("start", 1))):
                mark = "- " if block.type == "bullet_list" else f"{number}. "
                yield from _texts(item.children, "  " * depth + mark, depth + 1)
        elif block.type in ("inline", "fence", "code_block"):
            content = _inline(block) if block.type == "inline" else block.content.rstrip("\n")
            if content.strip():
                yield depth > 0, lead + content
        elif block.children:
            yield from _texts(block.children, lead, depth)
        else:  # raw HTML, or a rule
            continue
        lead = "  " * depth


def _inline(node: Node) -> str:
    assert node.token is not None
    return "".join(_BREAKS.get(child.type, child.content) for child in node.token.children or ())


def _first_link(item: Node) -> str | None:
    link = next((node for node in item.walk() if node.type == "link"), None)
    return unquote(str(link.attrs.get("href", ""))) if link else None


def _line(node: Node) -> int:
    return node.map[0] + 1 if node.map else 1
