"""A public report as a browser would take it apart: elements, sections, tables; and pages to take apart."""

from __future__ import annotations

import base64
import csv
import io
import re

from solon.town.elements import VOID, Element, read_page

__all__ = ["VOID", "Element", "figures", "read_page", "saved_table", "section", "table"]


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
