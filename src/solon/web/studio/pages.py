"""The list of runs, one run, how it goes while it goes, its report, and what its files were made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse

from solon.artifacts.live import STEPS
from solon.artifacts.manifest import PARTIAL
from solon.errors import UserError
from solon.report.charts import Chart
from solon.report.data import load_report_data
from solon.report.html import render_report, report_policy
from solon.report.run.record import stage_facts
from solon.report.run.training import read_steps, step_charts
from solon.report.wording import model_title
from solon.web.access import Access
from solon.web.routing import page
from solon.web.runs import Run
from solon.web.studio.overview import Overview, StageSeen, overview, runs_of
from solon.web.studio.shelves import shelves_of
from solon.web.troubles import explained
from solon.web.visit import Answer, Visit


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A row of the list: what is known of a run, or why nothing is."""

    run: Run
    seen: Overview | None
    fault: str = ""


def runs(visit: Visit) -> Answer:
    """Those that changed last come first."""
    return visit.render(
        "studio-runs.html.j2", listed=[_listed(visit, one) for one in runs_of(visit)], model_title=model_title
    )


def run(visit: Visit) -> Answer:
    found = visit.run
    with explained(visit.site.runs.told):
        return visit.render("studio-run.html.j2", **_shown(found), shelves=shelves_of(found))


def live(visit: Visit) -> Answer:
    """The part of the page of a run that changes while it goes."""
    found = visit.run
    with explained(visit.site.runs.told):
        return visit.render("studio-live.html.j2", **_shown(found))


def run_report(visit: Visit) -> Answer:
    """The run's report, which needs nothing else and has a policy of its own."""
    found = visit.run
    with explained(visit.site.runs.told):
        html = visit.site.kept.once("report", found.stamp, lambda: render_report(load_report_data(found.path)))
    policy = f"{report_policy()}; frame-ancestors 'none'"
    return HTMLResponse(html.encode("utf-8", errors="replace"), headers={"Content-Security-Policy": policy})


def run_files(visit: Visit) -> Answer:
    """What each file is, and what each stage was made from."""
    found = visit.run
    with explained(visit.site.runs.told):
        return visit.render("studio-files.html.j2", run=found, seen=overview(found), stage_facts=stage_facts)


def _listed(visit: Visit, run: Run) -> Listed:
    try:
        return Listed(run=run, seen=overview(run))
    except (UserError, OSError) as error:
        return Listed(run=run, seen=None, fault=visit.site.runs.told(error))


def _shown(run: Run) -> dict[str, Any]:
    seen = overview(run)
    return {"seen": seen, "run": run, "curves": [each for one in seen.stages for each in _curves(run.path, one)]}


def _curves(run: Path, seen: StageSeen) -> list[tuple[str, Chart]]:
    """Of a training that goes on or is finished, each with the stage's folder."""
    if not seen.stage.trains:
        return []
    steps = read_steps(run / seen.folder / ("" if seen.manifest else PARTIAL) / STEPS)
    return [(seen.folder, chart) for chart in step_charts(seen.folder, steps)]


PAGES = (
    page("/runs", runs, Access.MEMBER),
    page("/runs/{run}", run, Access.MEMBER),
    page("/runs/{run}/live", live, Access.MEMBER),
    page("/runs/{run}/report", run_report, Access.MEMBER),
    page("/runs/{run}/files", run_files, Access.MEMBER),
)
