"""The results while people vote: by the functions of `solon elo`, and as files that it reads."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from solon.collective.people.population import SUPPRESS_BELOW
from solon.evals.arena import OBJECTIVES, Ballot, Standings, counting, games, hashed, labels, standings
from solon.evals.statistics import grouped
from solon.records import Record
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.collect.results import LOOKS
from solon.web.db import arenas, assembled, audit
from solon.web.downloads import download
from solon.web.live import LEAST_SECONDS
from solon.web.routing import page
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

CHECKED = "checked"
"""In the address: without the votes of people who fail their checks."""
LABELS, VOTES = "comparisons", "votes"


def ratings(visit: Visit) -> Answer:
    if not visit.may_see_results:
        raise Trouble(403, mark("The results are not public yet"), mark("Those who run the conversation chose so."))
    checked = CHECKED in visit.request.query_params
    there = arenas.people_of(visit.db, visit.talk)
    known = there and assembled.version(visit.db, there)
    found, by_group = visit.site.kept.once(
        "standings",
        (visit.talk.id, checked),
        lambda: _found(visit, checked),
        version=(arenas.votes_version(visit.db, visit.talk), known),
        rests=LEAST_SECONDS,
    )
    return visit.render(
        "arena-ratings.html.j2",
        found=found,
        checked=checked,
        commands=_commands(visit, found, checked),
        people_of=there,
        by_group=by_group,
        fewest=SUPPRESS_BELOW,
    )


def _commands(visit: Visit, found: Standings, checked: bool) -> list[str]:
    """One for each run in the site's folder whose models people compared."""
    names = {row.player.rpartition(":")[0] for one in found.objectives if one.elo for row in one.elo.rows}
    runs = [run.name for run in visit.site.runs.all() if run.name in names] or ["RUN"]
    more = ["--votes", _file(visit, VOTES), *(["--checked"] if checked else [])]
    return [shlex.join(["solon", "elo", run, *more]) for run in runs]


def export_games(visit: Visit) -> Answer:
    """A line for each vote: the games of one objective, or of both labels of people with texts, or all that was said,
    checks among it."""
    name, checked = visit.part("file"), CHECKED in visit.request.query_params
    data = "".join(f"{row.model_dump_json()}\n" for row in _rows(visit, name, checked))
    with visit.site.database.session(writes=True) as db:
        audit.record(db, visit.staff, "games exported", conversation=visit.talk.slug, file=name, checked=checked)
        db.commit()
    return download(_file(visit, name), data.encode(), "application/jsonl")


def _file(visit: Visit, name: str) -> str:
    return f"{name if name in (LABELS, VOTES) else f'games-{name}'}-{visit.talk.slug}.jsonl"


def _rows(visit: Visit, name: str, checked: bool) -> Sequence[Record]:
    every = arenas.ballots(visit.db, visit.talk, visit.site.signer)
    if name == VOTES:
        return hashed(every, arenas.texts(visit.db, visit.talk))
    ballots = counting(every, checked=checked)
    if name == LABELS:
        return labels(ballots, arenas.texts(visit.db, visit.talk))
    objective = next((one for one in OBJECTIVES if one == name), None)
    if objective is None:
        raise not_found()
    return games(ballots, objective, groups_of_judges(visit))


def _found(visit: Visit, checked: bool) -> tuple[Standings, Mapping[int, Standings]]:
    """On the whole, and by opinion group."""
    ballots = arenas.ballots(visit.db, visit.talk, visit.site.signer)
    return standings(ballots, checked=checked), _by_group(ballots, groups_of_judges(visit), checked)


def _by_group(ballots: Sequence[Ballot], groups: Mapping[str, int], checked: bool) -> Mapping[int, Standings]:
    """Of everybody's group; nothing while there are too few judges of any, or in none: what one group said must not
    follow from what all said and the others."""
    judges = Counter(groups.get(one) for one in {one.judge for one in ballots})
    if min(judges.values(), default=0) < SUPPRESS_BELOW:
        return {}
    own = grouped([one for one in ballots if one.judge in groups], lambda one: groups[one.judge])
    return {label: standings(own[label], checked=checked) for label in sorted(own)}


def groups_of_judges(visit: Visit) -> Mapping[str, int]:
    """The opinion group of each judge in the conversation that the arena is for, as that is now."""
    there = arenas.people_of(visit.db, visit.talk)
    if there is None:
        return {}
    labels_there = visit.site.live.current(there.id).labels
    numbers = arenas.numbers_there(visit.db, visit.talk, there, visit.site.signer)
    return {judge: labels_there[number] for judge, number in numbers.items() if number in labels_there}


PAGES = (
    page("/c/{slug}/ratings", ratings, Access.ANYONE, limit=LOOKS),
    page("/c/{slug}/games/{file}", export_games, Access.ORGANISER),
)
