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
    numbers_N = np.array([one.number for one in candidates], dtype=np.int64)
    if count < talk.seeds_first:
        first_N = np.array([one.is_seed for one in candidates], dtype=bool)
    else:
        first_N = snapshot.seldom(numbers_N, me.number, talk.least_views) if snapshot else np.ones(len(numbers_N), bool)
    known = snapshot.priorities if snapshot else {}
    weights_N = np.array([known.get(number, NEW_PRIORITY) for number in numbers_N.tolist()])
    chances_N = chances(weights_N, first_N)
    at = draw(chances_N, talk.seed, me.number, count)
    statement = db.get_one(Statement, candidates[at].id)
    return showings.show(db, me, statement, float(chances_N[at])), statement
