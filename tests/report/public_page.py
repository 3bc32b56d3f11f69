"""A public report as a browser would take it apart: elements, sections, tables; and pages to take apart."""

from __future__ import annotations

import base64
import csv
import io
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "img", "link", "hr", "rect", "line", "path", "use", "ellipse"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    children: list[Element | str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Element]:
        """Those below it, in order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if child.tag in tags else []
                found += child.all(*tags)
        return found

    @property
    def text(self) -> str:
        """Words only, white space as single spaces."""
        parts = [child if isinstance(child, str) else child.text for child in self.children]
        return " ".join(" ".join(parts).split())

    @property
    def rows(self) -> list[list[str]]:
        """Of a table: text by cell, the head first."""
        return [[cell.text for cell in row.all("th", "td")] for row in self.all("tr")]


class _Reader(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, dict(attrs))
        self.open[-1].children.append(one)
        if tag not in VOID:
            self.open.append(one)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read_page(html: str) -> Element:
    """The whole page; fails where elements are not closed in the order in which they were opened."""
    reader = _Reader(html)
    assert reader.open == [reader.root], f"<{reader.open[-1].tag}> is not closed"
    return reader.root


def section(page: Element, name: str) -> Element:
    return next(one for one in page.all("section") if one.attributes.get("id") == name)


def table(page: Element, caption: str) -> list[list[str]]:
    """Rows of the table whose caption begins so."""
    found = [one for one in page.all("table") if one.all("caption")[0].text.startswith(caption)]
    assert len(found) == 1, caption
    return found[0].rows


def saved_table(page: Element) -> list[dict[str, str]]:
    """Rows of the file that the page offers to save."""
    link = next(one for one in page.all("a") if "download" in one.attributes)
    head, _, data = (link.attributes["href"] or "").partition(",")
    assert head == "data:text/csv;charset=utf-8;base64"
    return list(csv.DictReader(io.StringIO(base64.b64decode(data).decode("utf-8-sig"), newline="")))


def figures(text: str) -> list[int]:
    """Whole numbers in a text, thousands put together."""
    return [int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", text)]
