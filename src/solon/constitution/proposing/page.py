"""The prose of an HTML page as Markdown, line by line with the line of the page that it comes from.

What is kept is what a constitution can use: headings, paragraphs, lists, code, and bold words that open a paragraph.
All text is escaped, so that nothing a page says becomes a heading, a list or a comment of ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {
    *_HEADINGS,
    *(
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "blockquote",
        "pre",
        "li",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "hr",
    ),
    *("table", "tr", "td", "th", "figure", "figcaption", "details", "summary", "address", "body", "html", "head"),
}
_LEFT_OUT = {
    *("script", "style", "template", "noscript", "nav", "footer", "aside", "form", "button", "select", "svg", "title"),
}
"""No prose. Their words are counted."""
_BOLD, _END_BOLD = "\x02", "\x03"
_OPENS_BOLD = re.compile(rf"\s*{_BOLD}\s*([^{_BOLD}{_END_BOLD}]*[^{_BOLD}{_END_BOLD}\s])\s*{_END_BOLD}(?P<next>\w?)")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&#{}~]")
_BEGINS_BLOCK = re.compile(r"^(?:(?P<digits>\d{1,9})(?P<dot>[.)])|(?P<mark>[-+=]))")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page as Markdown."""

    text: str
    lines: Sequence[int]
    """For each line of `text` the line of the page."""
    left_out: Counter[str]
    """Words that are no prose, by element."""


def read_page(html: str) -> Page:
    """Whatever the page looks like: unclosed and unknown elements are no faults."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    text = "".join(f"{line}\n" for line, _ in reader.written)
    return Page(text=text, lines=[line for _, line in reader.written], left_out=reader.left_out)


def escaped(text: str) -> str:
    """`text` in one line as Markdown that is read as this text and nothing else."""
    text = _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    return _BEGINS_BLOCK.sub(lambda found: f"\\{found[0]}" if found["mark"] else f"{found[1]}\\{found[2]}", text)


@dataclass
class _List:
    """A list that is open."""

    ordered: bool
    number: int = 0
    begun: bool = False
    """Whether its last item has text."""

    @property
    def mark(self) -> str:
        return f"{self.number}. " if self.ordered else "- "


@dataclass
class _Reader(HTMLParser):
    written: list[tuple[str, int]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    _words: list[str] = field(default_factory=list)
    _begun: bool = False
    """Whether there is a word among them."""
    _line: int = 0
    """Where the words begin."""
    _lists: list[_List] = field(default_factory=list)
    _level: int = 0
    """Of the heading that is open."""
    _code: bool = False
    _outside: list[str] = field(default_factory=list)
    """Elements without prose that are open."""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _LEFT_OUT:
            self._outside.append(tag)
        elif tag in _BLOCKS:
            self._begin(tag)
        elif tag == "br":
            self._break()
        elif tag in ("b", "strong"):
            self._words.append(_BOLD)

    def _begin(self, tag: str) -> None:
        self.flush()
        if tag in _HEADINGS:
            self._level = _HEADINGS[tag]
        elif tag in ("ul", "ol"):
            self._lists.append(_List(ordered=tag == "ol"))
        elif tag == "li" and self._lists:
            self._lists[-1].number += 1
            self._lists[-1].begun = False
        self._code = self._code or tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._outside:
            del self._outside[self._outside.index(tag) :]
        elif tag in _BLOCKS:
            self.flush()
            self._level = 0 if tag in _HEADINGS else self._level
            self._code = self._code and tag != "pre"
            if tag in ("ul", "ol") and self._lists:
                self._lists.pop()
        elif tag in ("b", "strong"):
            self._words.append(_END_BOLD)

    def handle_comment(self, data: str) -> None:
        if words := len(data.split()):
            self.left_out["comment"] += words

    def handle_data(self, data: str) -> None:
        if self._outside:
            if words := len(data.split()):
                self.left_out[self._outside[0]] += words
        elif data.strip() or self._words:
            if data.strip() and not self._begun:
                self._begun, self._line = True, self.getpos()[0] + data.count("\n", 0, len(data) - len(data.lstrip()))
            self._words.append(re.sub(f"[{_BOLD}{_END_BOLD}]", "", data))

    def _break(self) -> None:
        """Two line breaks in a row end a paragraph, as old pages have it."""
        if self._words and self._words[-1] == "\n":
            self.flush()
        else:
            self._words.append("\n")

    def flush(self) -> None:
        """Writes the words so far as one block."""
        text, self._words, self._begun = "".join(self._words), [], False
        if not text.strip(f"{_BOLD}{_END_BOLD} \t\r\n"):
            return
        first, rest = self._marks()
        lines = [f"    {line}" for line in text.strip("\n").splitlines()] if self._code else [_inline(text)]
        self.written += [(f"{first if not number else rest}{line}", self._line) for number, line in enumerate(lines)]
        self.written.append(("", self._line))

    def _marks(self) -> tuple[str, str]:
        """What stands before the first line of a block, and before the others."""
        if not self._lists:
            return "#" * self._level + " " * bool(self._level), ""
        *above, own = self._lists
        indent = " " * sum(len(one.mark) for one in above)
        rest = indent + " " * len(own.mark)
        first = rest if own.begun or not own.number else indent + own.mark
        own.begun = True
        return first, rest


def _inline(text: str) -> str:
    """One line, escaped. Bold words stay bold if they open it."""
    found = _OPENS_BOLD.match(text)
    plain = re.sub(f"[{_BOLD}{_END_BOLD}]", "", text)
    if found is None:
        return escaped(plain)
    rest = re.sub(f"[{_BOLD}{_END_BOLD}]", "", text[found.end() - len(found["next"]) :])
    space = " " if found["next"] or rest[:1].isspace() else ""
    return f"**{escaped(found[1])}**{space}{_SPECIAL.sub(lambda one: chr(92) + one[0], ' '.join(rest.split()))}"
