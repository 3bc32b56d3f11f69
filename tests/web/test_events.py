"""What is read anew, and what is known: both together are what reading everything gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from solon.collective import conversation as c
from solon.collective.opinion.analysis import analyse, refreshed
from solon.web import live
from solon.web.db import events
from solon.web.db.assembled import assembled
from solon.web.db.conversations import new_conversation
from solon.web.db.engine import Database
from solon.web.db.events import Events, events_of
from solon.web.db.imports import bring_in
from solon.web.db.members import new_member
from solon.web.db.showings import show
from solon.web.db.statements import add_statement
from solon.web.db.tables import Conversation, Participant, Statement, Vote
from solon.web.db.votes import cast
from solon.web.live import Live
from voters import public

PEOPLE, STATEMENTS = 6, 5


class Site:
    """Two conversations in which things happen by lot."""

    def __init__(self, url: str, imported: c.Conversation | None = None, seed: int = 0) -> None:
        """imported: what the first of them begins with."""
        self.database, self.draws, self.nth = Database(url), np.random.default_rng(seed), 0
        with self.database.session(writes=True) as db:
            for topic in ("ours", "another"):
                talk = new_conversation(db, topic=topic)
                if imported and topic == "ours":
                    bring_in(db, talk, imported, new_member(db, "Ines"), "before")
                    continue
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
        who, what = people[int(self.draws.integers(len(people)))], here[int(self.draws.integers(len(here)))]
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
def url(tmp_path: Path) -> str:
    """Of a database."""
    return f"sqlite:///{tmp_path / 'site.sqlite'}"


@pytest.fixture
def site(url: str) -> Site:
    return Site(url)


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


def exported(seed: int) -> c.Conversation:
    """An export by lot: its votes have times, or none, or some lack theirs, even in the place of others that have."""
    draws, share = np.random.default_rng(seed), (0.0, 0.5, 1.0)[seed % 3]
    seen_PS = draws.random((PEOPLE, STATEMENTS)) < 0.7
    votes_PS = np.where(seen_PS, draws.integers(-1, 2, seen_PS.shape), 0).astype(np.int8)
    rows, columns = (at.repeat(2) for at in np.nonzero(seen_PS & (draws.random(seen_PS.shape) < share)))
    votes = np.where(draws.random(len(rows)) < 0.7, votes_PS[rows, columns], draws.integers(-1, 2, len(rows)))
    by_lot = draws.permutation(len(rows))
    times = 1 + np.sort(draws.integers(0, 20, len(rows)))
    return c.Conversation(
        statements=tuple(c.Statement(id=3 * at, text=f"{at}", moderated=1) for at in range(STATEMENTS)),
        participants=tuple(c.Participant(id=7 + 2 * at) for at in range(PEOPLE)),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        log=c.VoteLog(
            participant=7 + 2 * rows[by_lot],
            statement=3 * columns[by_lot],
            vote=votes[by_lot].astype(np.int8),
            time=times,
        )
        if len(rows)
        else None,
    )


def told(talk: c.Conversation) -> tuple[object, object, object, object]:
    """Who, on what, the votes that count, and the log."""
    people, statements = talk.participant_ids.tolist(), talk.statement_ids.tolist()
    cells = zip(*(at.tolist() for at in np.nonzero(talk.seen_PS)), strict=True)
    votes = {(people[row], statements[column]): int(talk.votes_PS[row, column]) for row, column in cells}
    log = talk.log and [*zip(*(getattr(talk.log, one).tolist() for one in LOG), strict=True)]
    return people, statements, votes, log


LOG = ("participant", "statement", "vote", "time")


def walked(db: Session) -> tuple[object, object, object, object]:
    """The same of the first conversation, one vote after the other in the order in which they came."""
    here, on = (Statement.conversation_id == 1) & ~Statement.withdrawn, Vote.statement_id == Statement.id
    query = select(Participant.number, Statement.number, Vote.vote, Vote.time, Vote.id).join_from(Vote, Participant)
    since: dict[tuple[int, int], list[tuple[int, int]]] = {}
    told: dict[int, tuple[int, int, int, int]] = {}
    for person, statement, vote, time, id in db.execute(query.join(Statement, on).where(here).order_by(Vote.id)):
        cell = since.setdefault((person, statement), [])
        cell[:] = [] if vote is None else [*cell, (id, vote)]
        told[id] = (person, statement, vote or 0, time)
    votes = {key: cell[-1][1] for key, cell in since.items() if cell}
    kept = sorted((told[id][3], id) for cell in since.values() for id, _ in cell)
    log = [told[id] for time, id in kept if time != c.NO_TIME]
    statements = db.scalars(select(Statement.number).where(here)).all()
    return sorted({who for who, _ in votes}), sorted(statements), votes, log if log or not votes else None


@pytest.mark.parametrize("seed", range(6))
def test_the_votes_that_count_are_those_after_which_none_was_taken_back(url: str, seed: int) -> None:
    """Walked one by one, in the order in which they were cast; the first conversation is an import, or is none."""
    found = exported(seed) if seed else None
    site = Site(url, found, seed)
    for times in (0, 5, 80):
        site.happen(times)
        with site.database.session(writes=False) as db:
            assert told(assembled(db, db.get_one(Conversation, 1))) == walked(db)
            assert found is None or times or told(assembled(db, db.get_one(Conversation, 1))) == told(found)


def test_shown_is_each_pair_once(site: Site) -> None:
    site.happen(100)
    known = site.read()
    pairs = {(known.statements[on], known.numbers[who]) for _, who, on in known.showings_V3.tolist()}
    shown = known.shown()
    rows, columns = np.nonzero(shown.shown_MN)
    assert {*zip(shown.statements[columns].tolist(), shown.people[rows].tolist(), strict=True)} == pairs
    assert len(rows) == len(pairs) < len(known.showings_V3)
    assert shown.shown_MN.any(axis=0).all() and shown.shown_MN.any(axis=1).all()
    assert (np.diff(shown.people) > 0).all() and (np.diff(shown.statements) > 0).all()


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


def test_a_statement_that_an_analysis_takes_no_account_of_any_more_stands_at_the_origin() -> None:
    talk, _ = public()
    rejected, silent = (talk.statement_ids == number for number in (2, 5))
    now = replace(
        talk,
        statements=tuple(one.model_copy(update={"moderated": -1 if one.id == 2 else 1}) for one in talk.statements),
        votes_PS=np.where(silent, 0, talk.votes_PS).astype(np.int8),
        seen_PS=talk.seen_PS & ~silent,
    )
    again, whole = refreshed(analyse(talk), now), analyse(now)
    for one in (again, whole):
        assert one.extremity_S[rejected | silent].max() < 1e-12 < 1 < one.extremity_S.sum()
    assert "Statements without any vote: 1" in " ".join(again.notes)


def test_a_live_analysis_that_goes_on_is_what_reading_everything_gives(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Votes, changed and taken back, withdrawn statements, people who leave and come: after each, all figures."""
    monkeypatch.setattr(events, "OVERLAP", 3)
    monkeypatch.setattr(live, "REST", 1e9)
    site.happen(60)
    going = Live(site.database)
    before = going.refresh(1).analysis
    for _ in range(6):
        site.happen(10)
        snapshot = going.refresh(1)
        with site.database.session(writes=False) as db:
            assert before is not None
            anew = refreshed(before, assembled(db, db.get_one(Conversation, 1)))
        assert snapshot.analysis is not None and snapshot.analysis is not before
        before = snapshot.analysis
        assert snapshot.analysis.majority == anew.majority
        for name in ("consensus_S", "priority_S", "polarization_S", "extremity_S"):
            np.testing.assert_allclose(getattr(snapshot.analysis, name), getattr(anew, name), atol=1e-12)
        pairs = {(on, who) for _, who, on in site.read().showings_V3.tolist()}
        seen = Counter((snapshot.labels.get(site.read().numbers[who], -1), on) for on, who in pairs)
        told = site.read().statements
        assert snapshot.views.sum() == len(pairs)
        assert all(snapshot.views[group, told[on]] == count for (group, on), count in seen.items())
