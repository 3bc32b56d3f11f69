"""What is read anew, and what is known: both together are what reading everything gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from solon.collective.opinion.analysis import analyse, refreshed
from solon.web.db import events
from solon.web.db.assembled import assembled
from solon.web.db.conversations import new_conversation
from solon.web.db.engine import Database
from solon.web.db.events import Events, events_of
from solon.web.db.showings import show
from solon.web.db.statements import add_statement
from solon.web.db.tables import Conversation, Participant, Statement, Vote
from solon.web.db.votes import cast
from voters import public

PEOPLE, STATEMENTS = 6, 5


class Site:
    """Two conversations in which things happen by lot."""

    def __init__(self, folder: Path) -> None:
        self.database, self.draws, self.nth = (
            Database(f"sqlite:///{folder / 'site.sqlite'}"),
            np.random.default_rng(0),
            0,
        )
        with self.database.session(writes=True) as db:
            for topic in ("ours", "another"):
                talk = new_conversation(db, topic=topic)
                for at in range(STATEMENTS):
                    add_statement(db, talk, f"{topic} {at}", moderated=1)
                for _ in range(PEOPLE):
                    self.join(db, talk)
            db.commit()

    def join(self, db: Session, talk: Conversation) -> None:
        self.nth += 1
        number = int(self.draws.integers(2**31))
        db.add(Participant(conversation_id=talk.id, number=number, browser=str(self.nth), state="in"))
        db.flush()

    def happen(self, times: int) -> None:
        with self.database.session(writes=True) as db:
            for _ in range(times):
                talk = db.get_one(Conversation, int(self.draws.integers(1, 3)))
                self.one(db, talk)
            db.commit()

    def one(self, db: Session, talk: Conversation) -> None:
        people = db.scalars(select(Participant).filter_by(conversation_id=talk.id).order_by(Participant.id)).all()
        here = db.scalars(select(Statement).filter_by(conversation_id=talk.id)).all()
        who, what = (group[int(self.draws.integers(len(group)))] for group in (people, here))
        luck = self.draws.random()
        if luck < 0.04:  # the newest goes, and SQLite gives the row to whoever comes next
            db.execute(delete(Participant).where(Participant.id == people[-1].id))
            self.join(db, talk)
        elif luck < 0.06:
            what.withdrawn = True
        elif luck < 0.3:
            show(db, who, what, 0.5)
        else:
            self.nth += 1
            cast(db, who, what, [1, -1, 0, None][int(self.draws.integers(4))], f"token {self.nth}")

    def read(self, before: Events = events.NOTHING) -> Events:
        with self.database.session(writes=False) as db:
            return events_of(db, db.get_one(Conversation, 1), before)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("overlap", [0, 3, 10_000])
def test_what_grew_is_what_is_read_at_once(site: Site, monkeypatch: pytest.MonkeyPatch, overlap: int) -> None:
    monkeypatch.setattr(events, "OVERLAP", overlap)
    known = site.read()
    for _ in range(12):
        site.happen(12)
        before, known = known, site.read(known)
        whole = site.read()
        assert known.numbers == whole.numbers and known.version == whole.version != before.version
        assert np.array_equal(known.votes_E5, whole.votes_E5) and np.array_equal(known.showings_V3, whole.showings_V3)
    assert len(known.votes_E5) > 30


def test_votes_of_somebody_who_left_are_not_those_of_who_has_their_row_now(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "OVERLAP", 0)
    with site.database.session(writes=True) as db:
        db.execute(delete(Participant).where(Participant.conversation_id == 2))
        last = db.scalars(select(Participant).order_by(Participant.id.desc())).first()
        assert last is not None
        cast(db, last, db.get_one(Statement, 1), 1, "theirs")
        db.commit()
    known = site.read()
    assert len(known.votes_E5) == 1
    with site.database.session(writes=True) as db:
        db.execute(delete(Participant).where(Participant.id == last.id))
        site.join(db, db.get_one(Conversation, 1))
        db.commit()
    again = site.read(known)
    assert last.id in again.numbers and len(again.votes_E5) == 0


def test_a_row_that_appears_late_is_found(site: Site) -> None:
    """As with PostgreSQL, where a transaction that began before may end after."""
    site.happen(40)
    known = site.read()
    late = known.votes_E5[-3]
    without = Events(
        votes_E5=known.votes_E5[known.votes_E5[:, 0] != late[0]],
        showings_V3=known.showings_V3,
        numbers=known.numbers,
        statements=known.statements,
    )
    assert np.array_equal(site.read(without).votes_E5, known.votes_E5)


def test_the_votes_that_count_are_those_after_which_none_was_taken_back(site: Site) -> None:
    """Walked one by one, in the order in which they were cast."""
    site.happen(150)
    with site.database.session(writes=False) as db:
        talk = assembled(db, db.get_one(Conversation, 1))
        query = select(Participant.number, Statement.number, Vote.vote, Vote.time).join_from(Vote, Participant)
        here = query.join(Statement, Vote.statement_id == Statement.id).where(
            Statement.conversation_id == 1, ~Statement.withdrawn
        )
        told = db.execute(here.order_by(Vote.id)).all()
    since: dict[tuple[int, int], list[tuple[int, int, int, int]]] = {}
    for person, statement, vote, time in told:
        cell = since.setdefault((person, statement), [])
        cell[:] = [] if vote is None else [*cell, (person, statement, vote, time)]
    assert talk.log is not None
    log = zip(talk.log.participant, talk.log.statement, talk.log.vote, talk.log.time, strict=True)
    assert sorted(log) == sorted(one for cell in since.values() for one in cell)
    assert bool(np.all(np.diff(talk.log.time) >= 0))
    ids = talk.participant_ids.tolist(), talk.statement_ids.tolist()
    for (person, statement), cell in since.items():
        if cell:
            assert talk.votes_PS[ids[0].index(person), ids[1].index(statement)] == cell[-1][2]
    assert talk.seen_PS.sum() == sum(map(bool, since.values())) > 10


def test_shown_is_each_pair_once(site: Site) -> None:
    site.happen(100)
    known = site.read()
    pairs = {(known.statements[on], known.numbers[who]) for _, who, on in known.showings_V3.tolist()}
    shown = [tuple(pair) for pair in known.shown_V2().tolist()]
    assert {*shown} == pairs and len(shown) == len(pairs) < len(known.showings_V3)


def test_an_analysis_that_is_refreshed_without_news_is_the_same() -> None:
    talk, _ = public()
    whole = analyse(talk)
    again = refreshed(whole, talk)
    assert again.majority == whole.majority and again.representative == whole.representative
    for name in ("consensus_S", "priority_S", "polarization_S", "extremity_S"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), atol=1e-12)
    np.testing.assert_allclose(again.projection.participants_P2, whole.projection.participants_P2, atol=1e-12)


def test_an_analysis_that_is_refreshed_counts_new_votes_and_keeps_groups_and_axes() -> None:
    talk, _ = public()
    before = talk.select(participants=np.arange(len(talk.participants)) != 3, statements=talk.statement_ids != 2)
    whole = analyse(before)
    again = refreshed(whole, talk)
    assert again.groups.k == whole.groups.k and 4 not in again.groups.participant_ids
    assert len(again.consensus_S) == len(talk.statements) and again.projection.components_2S[:, 2].tolist() == [0, 0]
    assert again.majority == analyse(talk, groups=whole.groups).majority
    left = refreshed(analyse(talk), before)
    assert talk.participants[3].id not in left.groups.participant_ids
    np.testing.assert_allclose(left.consensus_S, analyse(before, groups=left.groups).consensus_S, atol=1e-12)
