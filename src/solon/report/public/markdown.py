"""Markdown in an organiser's description as harmless HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

SAFE_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


def rendered(text: str) -> Markup:
    """The text as HTML that may stand in the page. HTML in it stays text; headings are paragraphs in bold.

    A link leads to the web or to an address for mail, or is text. An image is a link to it, since a page that loads
    images tells their owner who reads it.
    """
    if not text.strip():
        return Markup()
    tokens = _markdown().parse(text)
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = "p"
            token.attrs = {"class": "head"} if token.nesting == 1 else {}
        if token.nesting == 1 and token.tag in ("p", "li", "ul", "ol", "blockquote"):
            token.attrSet("dir", "auto")
        if token.children:
            token.children = _harmless(token.children)
    return Markup(_markdown().renderer.render(tokens, _markdown().options, {}))


def _harmless(tokens: Sequence[Token]) -> list[Token]:
    found: list[Token] = []
    linked = False
    for token in tokens:
        if token.type in ("link_open", "link_close"):
            linked = token.type == "link_open"
            token.attrs |= {"rel": "noopener noreferrer nofollow"} if linked else {}
        found += _image(token, linked=linked) if token.type == "image" else [token]
    return found


def _image(token: Token, *, linked: bool) -> list[Token]:
    """A link to the image, named as the image is; its name alone inside another link."""
    from markdown_it.token import Token

    address = str(token.attrs["src"])
    opened = Token("link_open", "a", 1, attrs={"href": address, "rel": "noopener noreferrer nofollow"})
    named = Token("text", "", 0, content=token.content or address)
    return [named] if linked else [opened, named, Token("link_close", "a", -1)]


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt  # many conversations have no description, and it takes long to import

    # Lines that begin with spaces are prose here, not code.
    markdown = MarkdownIt("commonmark", {"html": False}).disable(["code", "html_block", "html_inline"])
    markdown.validateLink = _may_be_linked  # type: ignore[method-assign]
    return markdown


def _may_be_linked(url: str) -> bool:
    return bool(SAFE_LINK.match(url))
