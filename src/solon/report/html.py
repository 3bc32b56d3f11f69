"""`report.html`: one file that needs nothing else, shows what a run achieved and lets its reader walk back through it.

Each part is worked out by a file of `report.run`; the templates place it and hold the words around it. Everything a
model or a user wrote is untrusted (`report.standalone` says how the page is kept safe from it).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from solon.artifacts.atomic import write_atomic
from solon.report import charts, wording
from solon.report.data import ReportData, load_report_data
from solon.report.run import (
    cards,
    evaluations,
    examples,
    frontier,
    labels,
    monitor,
    paper,
    principles,
    ratings,
    record,
    training,
)
from solon.report.standalone import asset, environment, policy, style_sheet
from solon.report.voted import sentences
from solon.text import duration

PACKAGE, SHARED = "solon.report.run", "solon.report"
SECTIONS = {
    "frontier": "Frontier",
    "evaluations": "Evaluations",
    "process": "Process",
    "judge": "Judge",
    "principles": "Principles",
    "explore": "Examples",
    "paper": "Paper",
    "record": "Record",
}
"""After the results, in their order, as the head of the page calls them."""


@cache
def _environment() -> jinja2.Environment:
    found = environment(PACKAGE, SHARED)
    found.globals.update(
        charts=charts,
        wording=wording,
        cards=cards,
        examples=examples,
        constitution_titles=labels.CONSTITUTION_TITLES,
        heat=principles.heat,
        rating_between=ratings.between,
        rating_shown=ratings.shown,
        figure_shown=evaluations.shown,
        figure_between=evaluations.between,
        figure_drawn=evaluations.drawn,
        stage_facts=record.stage_facts,
        run_file=record.run_file,
    )
    filters = (wording.percent, wording.interval, wording.of_hundred, wording.signed, wording.term_title, duration)
    found.filters.update((one.__name__, one) for one in filters)
    return found


def render_report(data: ReportData, *, limits: Mapping[str, int] = examples.LIMITS) -> str:
    """The whole page."""
    script, style = _own()
    page = _environment().get_template("run.html.j2")
    return page.render(**page_of(data, limits), style=Markup(style), script=Markup(script), policy=report_policy())


def report_policy() -> str:
    """The content security policy of the page, for whoever serves it."""
    return policy(*_own())


def _own() -> tuple[str, str]:
    """Its script and its style."""
    return asset(PACKAGE, "run.js"), style_sheet(*(asset(PACKAGE, f"{name}.css") for name in ("cards", "run")))


def page_of(data: ReportData, limits: Mapping[str, int]) -> dict[str, Any]:
    """Every part that the templates place, by name. Text is raw here, but in cards; the templates escape it."""
    summary, listed = data.summary, examples.readings(data, limits)
    rows, found = principles.principle_rows(data), principles.conflicts(data)
    titles = {one.id: one.title for one in rows}
    anchors = {one.id: f"principle-{place}" for place, one in enumerate(rows, start=1)}
    offered = examples.options(listed, data)
    parts = {
        "data": data,
        "prompts": data.prompts,
        "summary": summary,
        "frontier": frontier.frontier(data),
        "ratings": ratings.ratings(data),
        "voted": [*sentences(data.people)] if data.people else [],
        "evaluations": evaluations.evaluations(data),
        "revision_charts": training.revision_charts(summary),
        "rl_charts": training.rl_charts(summary),
        "most_steps": training.MOST,
        "monitor_charts": monitor.monitor_charts(summary),
        "ended": monitor.ended(summary),
        "early": monitor.early_stops(data),
        "calibration": labels.calibration_chart(summary),
        "reliability": labels.preference_charts(summary),
        "favors": labels.favors(summary.labels) if summary.labels else [],
        "principles": rows,
        "titles": titles,
        "anchors": anchors,
        "principle_link": lambda id: Markup('<a href="#{}">{}</a>').format(anchors[id], titles.get(id, id)),
        "conflicts": found,
        "matrix": principles.Matrix.of(found) if found else None,
        "readings": listed,
        "options": offered,
        "attributes": lambda one: examples.attributes_of(one, data, offered),
        "ways": lambda one: (),
        "steps": paper.steps(data),
        "departures": paper.departures(data),
        "losses": record.losses(data),
        "totals": record.totals(data.manifests),
        "costs": record.costs(data),
        "versions": record.version_rows(data.manifests),
    }
    return parts | {"nav": [(key, title) for key, title in SECTIONS.items() if _there(key, parts)]}


def _there(key: str, parts: Mapping[str, Any]) -> bool:
    """Whether a section has anything to show."""
    summary = parts["summary"]
    needed = {
        "frontier": (parts["frontier"], parts["ratings"]),
        "evaluations": (parts["evaluations"], parts["data"].unread),
        "process": (parts["revision_charts"], parts["rl_charts"], summary.texts),
        "judge": (summary.labels, summary.preference_model),
        "principles": (parts["principles"],),
        "paper": (parts["steps"],),
    }
    return any(needed.get(key, (True,)))


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
