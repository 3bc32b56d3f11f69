"""A conversation of 10,000 people and 2,000 statements on a site, 5% of it voted on: a million votes in the database.

Measured are, in one process, the site's own code on its own database:

- `vote`: the page with the next statement, drawn and logged, for people whom nothing waits for;
- `from nothing`: the first analysis after a start;
- `refresh`: an analysis after another hundred votes, twenty times; its figures are those of the database read anew.

Wall time, and processor time of the same: other programs on the machine lengthen the first alone.
Promises: 95% of the pages in under 50 ms, an analysis from nothing in under 60 s, 95% of the refreshes in under 1 s,
each of processor time; no figure of the last refresh is off by more than 1e-12. Exits with 1 where one is broken.
Run: `python bench/site_large.py`, with `--people`, `--statements` for another size, `--database URL` for PostgreSQL
(an empty database).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from public_sizes import SHARE, simulate
from sqlalchemy import insert
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from solon.collective.opinion.analysis import refreshed
from solon.collective.opinion.results import Analysis
from solon.web.app import create_app
from solon.web.db.assembled import assembled
from solon.web.db.conversations import new_conversation
from solon.web.db.tables import Base, Conversation, Participant, Showing, Standing, State, Statement, Vote
from solon.web.settings import Settings
from solon.web.site import Site

MOST_PAGE, MOST_FIRST, MOST_REFRESH = 0.05, 60.0, 1.0
"""Seconds."""
PAGES = 200
MORE, REFRESHES = 100, 20
"""Votes between two analyses, and analyses."""
SAME = 1e-12
FIGURES = ("consensus_S", "disagreement_S", "extremity_S", "priority_S", "polarization_S")
ROWS = 20_000
"""Inserted at once."""
T = TypeVar("T")


def fill(site: Site, people: int, statements: int) -> None:
    """The simulated votes, each after a showing, as if they had been cast one by one."""
    conversation, _ = simulate(people, statements, SHARE)
    rows, columns = np.nonzero(conversation.seen_PS)
    order = np.random.default_rng(1).permutation(len(rows))
    rows, columns = rows[order], columns[order]
    said = conversation.votes_PS[rows, columns]
    with site.database.session(writes=True) as db:
        talk = new_conversation(db, topic="A large one", state=State.OPEN)
        given = {"conversation_id": talk.id}
        told = [
            {
                **given,
                "id": at + 1,
                "number": at,
                "text": f"Statement {at}",
                "moderated": 1,
                "open": False,
                "is_seed": at < 20,
            }
            for at in range(statements)
        ]
        there = [
            {**given, "id": at + 1, "number": at, "browser": site.signer.hashed(f"b{at}"), "state": "in"}
            for at in range(people)
        ]
        _insert(db, Statement, told)
        _insert(db, Participant, there)
        cells = list(zip((rows + 1).tolist(), (columns + 1).tolist(), said.tolist(), strict=True))
        keys = [{"participant_id": person, "statement_id": statement} for person, statement, _ in cells]
        _insert(
            db, Showing, [{**key, "token": f"s{at}", "chance": 0.001, "answered": True} for at, key in enumerate(keys)]
        )
        votes = [vote for *_, vote in cells]
        _insert(
            db,
            Vote,
            [
                {**key, "id": at + 1, "vote": votes[at], "time": 1 + at, "token": f"s{at}"}
                for at, key in enumerate(keys)
            ],
        )
        _insert(db, Standing, [{**key, "vote": votes[at], "vote_id": at + 1} for at, key in enumerate(keys)])
        db.commit()


def _insert(db: Session, table: type[Base], rows: list[dict[str, object]]) -> None:
    for at in range(0, len(rows), ROWS):
        db.connection().execute(insert(Base.metadata.tables[table.__tablename__]), rows[at : at + ROWS])


def timed(work: Callable[[], T]) -> tuple[float, float, T]:
    """Wall seconds, processor seconds, and what came of it."""
    wall, used = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - used, found


def browse(site: Site, client: TestClient, slug: str, person: int) -> tuple[float, float]:
    """One page with the next statement. Returns wall and processor seconds."""
    client.cookies.set("solon-session", site.signer.sign(f"b{person}.{int(time.time() // 86_400)}"))
    wall, used, response = timed(lambda: client.get(f"/c/{slug}/vote"))
    assert response.status_code == 200, response.text
    return wall, used


def vote_more(site: Site, people: int, statements: int, nth: int) -> None:
    """A hundred people vote on something, or change their minds."""
    draws = np.random.default_rng([2, nth])
    with site.database.session(writes=True) as db:
        for at in range(MORE):
            person, statement = (int(draws.integers(1, most + 1)) for most in (people, statements))
            db.add(Vote(participant_id=person, statement_id=statement, vote=1, token=f"m{nth} {at}"))
        db.commit()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--statements", type=int, default=2_000)
    parser.add_argument("--database", default="")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(folder=Path(folder), database=asked.database))
        return measure(
            app.state.site, TestClient(app, base_url="http://127.0.0.1:8000"), asked.people, asked.statements
        )


def measure(site: Site, client: TestClient, people: int, statements: int) -> int:
    wall, used, _ = timed(lambda: fill(site, people, statements))
    print(
        f"{people:,} people, {statements:,} statements; filled in {wall:.0f} s ({used:.0f} s of processor)", flush=True
    )
    with site.database.session(writes=False) as db:
        slug = db.get_one(Conversation, 1).slug
    first_wall, first, snapshot = timed(lambda: site.live.refresh(1))
    analysis = snapshot.analysis
    assert analysis is not None
    print(
        f"analysis from nothing: {first_wall:.1f} s, {first:.1f} s of processor; {analysis.groups.k} groups", flush=True
    )
    again, apart = refresh(site, people, statements, analysis)
    browse(site, client, slug, people - 1)
    times = np.array([browse(site, client, slug, person) for person in range(min(PAGES, people))])
    walls, processor = np.percentile(times, 95, axis=0)
    print(f"next statement, p95: {walls * 1e3:.0f} ms, {processor * 1e3:.0f} ms of processor", flush=True)
    broken = processor > MOST_PAGE or first > MOST_FIRST or again > MOST_REFRESH or apart > SAME
    print(f"promises: {'broken' if broken else 'kept'}")
    return int(broken)


def refresh(site: Site, people: int, statements: int, first: Analysis) -> tuple[float, float]:
    """Votes and analyses in turn. Returns seconds of processor, of 95% of them, and how far the last is off."""
    times = []
    for nth in range(REFRESHES):
        vote_more(site, people, statements, nth)
        *taken, snapshot = timed(lambda: site.live.refresh(1))
        times.append(taken)
    assert snapshot.analysis is not None
    assert np.array_equal(snapshot.analysis.groups.labels_G, first.groups.labels_G), "axes and groups are kept"
    with site.database.session(writes=False) as db:
        anew = refreshed(first, assembled(db, db.get_one(Conversation, 1)))
    apart = max(float(np.abs(getattr(snapshot.analysis, one) - getattr(anew, one)).max()) for one in FIGURES)
    wall, processor = np.percentile(times, 95, axis=0)
    print(f"refresh after {MORE} votes, p95 of {REFRESHES}: {wall:.2f} s, {processor:.2f} s of processor", flush=True)
    print(f"the same from nothing, with its axes and groups: at most {apart:.0e} apart", flush=True)
    return float(processor), apart


if __name__ == "__main__":
    sys.exit(main())
