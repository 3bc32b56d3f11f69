"""Which statement a participant sees next."""

from __future__ import annotations

import numpy as np

from solon.collective.opinion.lottery import chances, draw
from solon.web.db import showings
from solon.web.db.statements import unvoted
from solon.web.db.tables import Showing, Statement
from solon.web.live import NEW_PRIORITY
from solon.web.visit import Visit


def next_statement(visit: Visit) -> tuple[Showing, Statement] | None:
    """What waits for an answer, or a new draw, logged with its chance. None: nothing is left."""
    db, talk, me = visit.db, visit.talk, visit.me
    if waiting := showings.waiting(db, talk, me):
        return waiting
    candidates = unvoted(db, talk, me)
    if not candidates:
        return None
    count, snapshot = showings.drawn(db, me), visit.site.live.newest(talk.id)
    if count < talk.seeds_first:
        first = [one.is_seed for one in candidates]
    else:
        first = [snapshot is None or snapshot.seldom(one.number, me.number, talk.least_views) for one in candidates]
    known = snapshot.priorities if snapshot else {}
    weights = np.array([known.get(one.number, NEW_PRIORITY) for one in candidates])
    chances_N = chances(weights, np.array(first, dtype=bool))
    at = draw(chances_N, talk.seed, me.number, count)
    return showings.show(db, me, candidates[at], float(chances_N[at])), candidates[at]
