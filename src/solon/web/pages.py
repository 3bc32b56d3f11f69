"""Templates, and the files that every page shares: one style sheet, one script, one icon.

The style sheet is the reports' own, with what a site needs beside it; the parts of the public report can stand in any
page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import jinja2

from solon.report import charts, standalone, wording
from solon.report.public.bars import PATTERNS, vote_bar
from solon.report.public.markdown import rendered
from solon.text import duration
from solon.web.faults import shortened

PACKAGES = ("solon.web", "solon.report.public", "solon.report", "solon.report.run")
STYLES = (
    *(("solon.report", f"templates/{name}.css") for name in ("charts", "report")),
    ("solon.report.run", "templates/cards.css"),
    ("solon.report.public", "templates/public.css"),
)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """A file that browsers may keep for ever, for its name changes with it."""

    name: str
    data: bytes
    kind: str


@cache
def assets() -> Mapping[str, Asset]:
    """By what templates call them."""
    sheets = [*STYLES, ("solon.web", "static/site.css")]
    style = "".join(files(package).joinpath(*path.split("/")).read_text(encoding="utf-8") for package, path in sheets)
    own = files("solon.web") / "static"
    return {
        "style": _asset("site.css", style.encode(), "text/css; charset=utf-8"),
        "script": _asset("site.js", (own / "site.js").read_bytes(), "text/javascript; charset=utf-8"),
        "icon": _asset("icon.svg", (own / "icon.svg").read_bytes(), "image/svg+xml"),
    }


def _asset(name: str, data: bytes, kind: str) -> Asset:
    stem, _, ending = name.partition(".")
    return Asset(name=f"{stem}-{hashlib.sha256(data).hexdigest()[:12]}.{ending}", data=data, kind=kind)


def moment(milliseconds: int) -> str:
    """A time in UTC, for logs.

    >>> moment(1_726_860_583_813)
    '2024-09-20 19:29'
    """
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@cache
def templates() -> jinja2.Environment:
    """Escaped, and strict about names that they do not know."""
    made = standalone.environment(*PACKAGES)
    made.filters.update((one.__name__, one) for one in (wording.percent, wording.interval, duration))
    made.globals.update(
        charts=charts, vote_bar=vote_bar, patterns=PATTERNS, prose=rendered, moment=moment, shortened=shortened
    )
    made.filters["numbered"] = lambda texts: [(text, f"{nth}. {text}") for nth, text in enumerate(texts, start=1)]
    made.filters["twice"] = lambda text: (text, text)  # options whose words are their value
    return made
