"""A page as a browser takes it apart: elements, their words, and forms with what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "img", "link", "hr", "rect", "line", "path", "use", "ellipse"}


@dataclass
class Element:
    """One element of a page."""

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


def filled(form: Element) -> dict[str, str]:
    """The fields of a form as a browser would send them back."""
    found = {}
    for one in form.all("input", "textarea"):
        kind, name = one.attributes.get("type"), one.attributes.get("name")
        if name and (kind not in ("checkbox", "radio") or "checked" in one.attributes):
            found[name] = (
                "".join(map(str, one.children)) if one.tag == "textarea" else one.attributes.get("value") or ""
            )
    return found


def names(form: Element) -> set[str | None]:
    """Of its fields and buttons."""
    return {one.attributes.get("name") for one in form.all("input", "textarea", "select", "button")}
