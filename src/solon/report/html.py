"""`report.html`: one file that needs nothing else, shows what a run achieved and lets its reader walk back through it.

Everything a model or a user wrote is untrusted (`report.standalone` says how the page is kept safe from it); text in
the embedded data is put on the page by `textContent` alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup

from solon.artifacts import write_atomic
from solon.report import wording
from solon.report.charts import interval_track, legend_marker, waffle
from solon.report.data import ReportData, load_report_data
from solon.report.explorer import Limits, explorer_data
from solon.report.sections import Sections, sections_of
from solon.report.standalone import asset, environment, policy, script_json
from solon.text import duration

PACKAGE = "solon.report"


@cache
def _environment() -> jinja2.Environment:
    made = environment(PACKAGE)
    made.globals.update(
        interval_track=interval_track,
        legend_marker=legend_marker,
        waffle=waffle,
        wording=wording,
    )
    made.filters.update(
        percent=wording.percent,
        interval=wording.interval,
        of_hundred=wording.of_hundred,
        duration=duration,
        signed=wording.signed,
    )
    return made


def render_report(data: ReportData, *, limits: Limits | None = None) -> str:
    """The whole page."""
    script, style = asset(PACKAGE, "report.js"), asset(PACKAGE, "report.css")
    sections: Sections = sections_of(data)
    page = _environment().get_template("report.html.j2")
    return page.render(
        summary=data.summary,
        config=data.config,
        constitution=data.constitution,
        sections=sections,
        kinds=wording.ordered(prompt.kind for prompt in data.prompts.values()),
        style=Markup(style),
        script=Markup(script),
        policy=policy(script, style),
        data=script_json(explorer_data(data, limits or Limits())),
    )


def write_report(run: Path) -> Path:
    """Reads the run folder and writes its `report.html`.

    Raises:
        RunError: if there is no summary, or a file of the run cannot be read.
    """
    path = run / "report.html"
    write_atomic(path, render_report(load_report_data(run)).encode("utf-8", errors="replace"))
    return path
