"""A page that takes long: sent part by part to the script of the page, or whole to whoever has no script.

A part is an object on a line: `{"into": ID, "add": TEXT}` adds to a text, `{"into": ID, "say": TEXT}` replaces one, and
`{"page": HTML}`, the last, is the page that whoever has no script is given.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from starlette.responses import StreamingResponse

from solon.report.public.language import mark
from solon.web.line import Ahead, Computation
from solon.web.troubles import Trouble, explained
from solon.web.visit import PARTS, Answer, View, Visit

T = TypeVar("T")
Part = Mapping[str, str]
PROGRESS = "progress"
"""The id of the text that says how far it is."""
log = logging.getLogger("solon.web")


def computed(
    visit: Visit, work: Callable[[Callable[[Any], None]], T], part: Callable[[Any], Part], page: Callable[[T], View]
) -> Answer:
    """The page of what is computed in the site's line.

    part: of what the work tells. page: of its result. Raises `Trouble` if the line is too long.
    """
    computation = visit.site.modelling.line.join(work, visit.browser.hash)
    if visit.wants_parts:
        return StreamingResponse(_parts(visit, computation, part, page), media_type=PARTS)
    visit.let_go()
    return page(_told(visit, computation.awaited))


def _parts(
    visit: Visit, computation: Computation[T], part: Callable[[Any], Part], page: Callable[[T], View]
) -> Iterator[str]:
    for told in computation.events():
        yield _line(_waits(visit, told.count) if isinstance(told, Ahead) else part(told))
    with visit.site.database.session(writes=False) as visit.db:
        try:
            response = visit.written(page(_told(visit, computation.result)))
        except Trouble as trouble:
            response = visit.trouble(trouble, visit.form)
        yield _line({"page": bytes(response.body).decode()})


def _told(visit: Visit, result: Callable[[], T]) -> T:
    """Raises `Trouble` instead of what the computation raised."""
    try:
        with explained(visit.site.runs.told):
            return result()
    except Trouble:
        raise
    except Exception as error:
        log.exception("a computation failed", exc_info=error)
        raise Trouble(500, mark("Something went wrong here"), mark("It is not your fault. Try again.")) from error


def _waits(visit: Visit, count: int) -> Part:
    many, turn = visit.say.many, visit.say("It is your turn.")
    waits = many("%(n)s question comes before yours.", "%(n)s questions come before yours.", count)
    return {"into": PROGRESS, "say": waits if count else turn}


def _line(part: Part) -> str:
    return json.dumps(part) + "\n"
