"""`solon trace` as a page: from any id back to where it comes from and forward to what came of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import urlencode

from solon.errors import AmbiguousError, Fault, UserError
from solon.report.lineage.lineage import lineage
from solon.report.lineage.records import Lineage
from solon.report.lineage.tree import origin_lines
from solon.web.access import Access
from solon.web.faults import shortened
from solon.web.routing import page
from solon.web.runs import Run
from solon.web.troubles import explained
from solon.web.visit import Answer, Visit

MOST = 10
"""Things of each kind that are shown; all are counted."""
LONGEST_ID = 300


def trace(visit: Visit) -> Answer:
    """Without an id, the page asks for one."""
    run, name = visit.run, visit.request.query_params.get("id", "").strip()[:LONGEST_ID]
    with explained(visit.site.runs.told):
        found, faults, several = _lineage(visit, run, name) if name else (None, [], ())
    return visit.render(
        "studio-trace.html.j2",
        status=404 if faults else 200,
        run=run,
        name=name,
        found=found,
        faults=faults,
        several=several,
        origin=origin_lines(found.thing.origin) if found and found.thing.origin else [],
        row=json.dumps(found.thing.row, ensure_ascii=False, indent=2) if found and found.thing.row else "",
        traced=lambda at: f"{visit.path('trace', run=run.address)}?{urlencode({'id': at})}",
    )


def _lineage(visit: Visit, run: Run, name: str) -> tuple[Lineage | None, list[str], Sequence[tuple[str, str]]]:
    """What the command finds, or what it says where it finds nothing or too much, and what could be meant."""
    try:
        key = (run.stamp, name)
        return visit.site.kept.once("lineage", key, lambda: lineage(run.path, name, most=MOST)), [], ()
    except AmbiguousError as error:
        return None, [_said(visit, error.faults[0])], error.found
    except UserError as error:
        if type(error) is not UserError:
            raise
        return None, [_said(visit, fault) for fault in error.faults], ()


def _said(visit: Visit, fault: Fault) -> str:
    return shortened(f"{fault.what}; {fault.hint}" if fault.hint else fault.what, visit.site.runs.folder)


PAGES = (page("/runs/{run}/trace", trace, Access.MEMBER),)
