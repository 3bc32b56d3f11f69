"""A Markdown text as sections: headings, and what stands under each as plain text.

CommonMark has two kinds of headings, code blocks that look like headings, comments and lazy lists; the parser that
`rich` already brings along knows all of it and keeps line numbers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

_ATTRIBUTES = re.compile(r"\s*\{\s*((?:[#.]|weight\s*=)[^{}]*)\}\s*$")


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
    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        return plain_text(self.tokens)


def sections(text: str) -> list[Section]:
    """The sections of a Markdown text in order; the first is what stands before any heading."""
    heads: list[tuple[int, str, int]] = [(0, "", 1)]
    bodies: list[list[Token]] = [[]]
    tokens = MarkdownIt("commonmark").parse(text)
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if token.type == "heading_open" and token.level == 0:
            heads.append((int(token.tag[1]), _inline(tokens[index + 1]), _line(token)))
            bodies.append([])
            index += 3
        else:
            bodies[-1].append(token)
            index += 1
    return [_section(level, title, line, body) for (level, title, line), body in zip(heads, bodies, strict=True)]


def _section(level: int, heading: str, line: int, body: list[Token]) -> Section:
    found = _ATTRIBUTES.search(heading)
    attributes = re.sub(r"\s*=\s*", "=", found[1]).split() if found else []
    title = heading[: found.start()] if found else heading
    return Section(level=level, title=title.strip(), attributes=tuple(attributes), line=line, tokens=tuple(body))


def items(tokens: Sequence[Token], kinds: Sequence[str] = ("bullet_list", "ordered_list")) -> list[Item]:
    """The items of the outermost lists of these kinds; a list inside an item belongs to the item's text."""
    found: list[Item] = []
    start, inside = 0, False
    for index, token in enumerate(tokens):
        if token.level == 0 and token.type.endswith("_list_open"):
            inside = token.type.removesuffix("_open") in kinds
        elif inside and token.type == "list_item_open" and token.level == 1:
            start = index
        elif inside and token.type == "list_item_close" and token.level == 1:
            within = tokens[start + 1 : index]
            found.append(Item(text=plain_text(within), line=_line(tokens[start]), link=_first_link(within)))
    return found


def plain_text(tokens: Sequence[Token]) -> str:
    """Blocks without their mark-up; list items keep `- ` or their number, comments and raw HTML are left out."""
    lists: list[int | None] = []
    """Per open list the next number, None in a bullet list."""
    lead = ""
    blocks: list[str] = []
    in_list: list[bool] = []
    for token in tokens:
        if token.type.endswith("_list_open"):
            lists.append(int(token.attrs.get("start", 1)) if token.type == "ordered_list_open" else None)
        elif token.type.endswith("_list_close"):
            lists.pop()
        elif token.type == "list_item_open" and lists:
            number = lists[-1]
            lead = "  " * (len(lists) - 1) + ("- " if number is None else f"{number}. ")
            lists[-1] = None if number is None else number + 1
        elif token.type in ("inline", "fence", "code_block"):
            content = _inline(token) if token.type == "inline" else token.content.rstrip("\n")
            if content.strip():
                blocks.append(lead + content)
                in_list.append(bool(lists))
            lead = "  " * len(lists)
    text = ""
    for position, block in enumerate(blocks):
        between = "" if position == 0 else "\n" if in_list[position] and in_list[position - 1] else "\n\n"
        text += between + block
    return text.strip()


def _inline(token: Token) -> str:
    breaks = {"softbreak": " ", "hardbreak": "\n", "html_inline": ""}
    return "".join(breaks.get(child.type, child.content) for child in token.children or ())


def _first_link(tokens: Sequence[Token]) -> str | None:
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                return unquote(str(child.attrs.get("href", "")))
    return None


def _line(token: Token) -> int:
    return token.map[0] + 1 if token.map else 1
