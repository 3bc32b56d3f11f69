"""The results while people vote: by the functions of `solon elo`, and as files that it reads."""

from __future__ import annotations

from collections.abc import Sequence

from solon.evals.arena import OBJECTIVES, Ballot, Standings, counting, games, labels, standings
from solon.records import Record
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.collect.results import LOOKS
from solon.web.db import arenas, audit
from solon.web.downloads import download
from solon.web.live import LEAST_SECONDS
from solon.web.routing import page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

CHECKED = "checked"
"""In the address: without the votes of people who fail their checks."""
LABELS = "comparisons"


def ratings(visit: Visit) -> Answer:
    if not visit.may_see_results:
        raise Trouble(403, mark("The results are not public yet"), mark("Those who run the conversation chose so."))
    checked = CHECKED in visit.request.query_params
    version = arenas.votes_version(visit.db, visit.talk)
    found = visit.site.kept.once(
        "standings",
        (visit.talk.id, checked),
        lambda: _standings(visit, checked),
        version=version,
        rests=LEAST_SECONDS,
    )
    return visit.render("arena-ratings.html.j2", found=found, checked=checked)


def export_games(visit: Visit) -> Answer:
    """A line for each vote: the games of one objective, or labels of people with texts, of both."""
    name, checked = visit.part("file"), CHECKED in visit.request.query_params
    ballots = counting(arenas.ballots(visit.db, visit.talk, visit.site.signer), checked=checked)
    data = "".join(f"{row.model_dump_json()}\n" for row in _rows(visit, name, ballots))
    with visit.site.database.session(writes=True) as db:
        audit.record(db, visit.staff, "games exported", conversation=visit.talk.slug, file=name, checked=checked)
        db.commit()
    file = f"{name if name == LABELS else f'games-{name}'}-{visit.talk.slug}.jsonl"
    return download(file, data.encode(), "application/jsonl")


def _rows(visit: Visit, name: str, ballots: Sequence[Ballot]) -> Sequence[Record]:
    if name == LABELS:
        return labels(ballots, arenas.texts(visit.db, visit.talk))
    objective = next((one for one in OBJECTIVES if one == name), None)
    if objective is None:
        raise not_found()
    return games(ballots, objective)


def _standings(visit: Visit, checked: bool) -> Standings:
    return standings(arenas.ballots(visit.db, visit.talk, visit.site.signer), checked=checked)


PAGES = (
    page("/c/{slug}/ratings", ratings, Access.ANYONE, limit=LOOKS),
    page("/c/{slug}/games/{file}", export_games, Access.ORGANISER),
)
