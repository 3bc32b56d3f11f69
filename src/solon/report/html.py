"""`report.html`: one file that needs nothing else, shows what a run achieved and lets its reader walk back through it.

Everything a model or a user wrote is untrusted (`report.standalone` says how the page is kept safe from it); text in
the embedded data is put on the page by `textContent` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from solon.artifacts.atomic import write_atomic
from solon.report import charts, sections, wording
from solon.report.data import ReportData, load_report_data
from solon.report.explorer import LIMITS, explorer_data
from solon.report.standalone import asset, environment, policy, script_json
from solon.text import duration

PACKAGE = "solon.report"


@cache
def _environment() -> jinja2.Environment:
    found = environment(PACKAGE)
    found.globals.update(charts=charts, sections=sections, wording=wording)
    filters = (wording.percent, wording.interval, wording.of_hundred, wording.signed, wording.term_title, duration)
    found.filters.update((one.__name__, one) for one in filters)
    return found


def render_report(data: ReportData, *, limits: Mapping[str, int] = LIMITS) -> str:
    """The whole page."""
    script, style = asset(PACKAGE, "report.js"), asset(PACKAGE, "report.css")
    page = _environment().get_template("report.html.j2")
    return page.render(
        data=data,
        summary=data.summary,
        rows=script_json(explorer_data(data, limits)),
        style=Markup(style),
        script=Markup(script),
        policy=policy(script, style),
    )


def write_report(run: Path) -> Path:
    """Reads the run folder and writes its `report.html`.

    Raises:
        RunError: if there is no summary, or a file of the run cannot be read.
    """
    return write_page(run, load_report_data(run))


def write_page(run: Path, data: ReportData) -> Path:
    """Writes the run's `report.html`."""
    path = run / "report.html"
    write_atomic(path, render_report(data).encode("utf-8", errors="replace"))
    return path
