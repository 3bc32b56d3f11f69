"""`solon compare` as a page."""

from __future__ import annotations

from solon.report.compare import console, words
from solon.report.compare.differences import RunComparison, compare
from solon.report.data import load_report_data
from solon.web.access import Access
from solon.web.routing import page
from solon.web.runs import SUMMARY, Run
from solon.web.studio.overview import runs_of
from solon.web.troubles import explained
from solon.web.visit import Answer, Visit


def comparison(visit: Visit) -> Answer:
    """Of two finished runs; without two, the page asks which."""
    asked = visit.request.query_params
    first, second = asked.get("first", ""), asked.get("second", "")
    found = None
    if first and second:
        with explained(visit.site.runs.told):
            found = _compared(visit, visit.site.runs.named(first), visit.site.runs.named(second))
    return visit.render(
        "studio-compare.html.j2",
        runs=[run.name for run in runs_of(visit) if (run.path / SUMMARY).is_file()],
        first=first,
        second=second,
        found=found,
        words=words,
        told=console.told,
        notes=console.notes,
    )


def _compared(visit: Visit, first: Run, second: Run) -> RunComparison:
    """The same numbers as the command's."""
    return visit.site.kept.once("comparison", (first.stamp, second.stamp), lambda: _compare(first, second))


def _compare(first: Run, second: Run) -> RunComparison:
    one, two = load_report_data(first.path), load_report_data(second.path)
    return compare(one, two, names=(first.name, second.name))


PAGES = (page("/compare", comparison, Access.MEMBER),)
