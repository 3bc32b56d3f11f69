"""A comparison of two runs as a page: one file that needs nothing else, in the style of a run's report."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from solon.collective.tables import write_file
from solon.report.compare import console, words
from solon.report.compare.differences import RunComparison
from solon.report.standalone import environment, policy, style_sheet

PACKAGE = "solon.report"


@cache
def _environment() -> jinja2.Environment:
    found = environment(PACKAGE)
    found.globals.update(words=words, told=console.told, notes=console.notes)
    return found


def render_comparison(found: RunComparison) -> str:
    """The whole page. Everything that runs say is untrusted, and is escaped; there is no script."""
    style = style_sheet()
    page = _environment().get_template("compare.html.j2")
    return page.render(found=found, style=Markup(style), policy=policy("", style))


def write_comparison(found: RunComparison, path: Path) -> None:
    """Raises `InputError` if it cannot be written there; a missing folder is made."""
    write_file(path, render_comparison(found).encode("utf-8", errors="replace"))
