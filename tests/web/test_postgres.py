"""A site with PostgreSQL does all that one with SQLite does: the same tests, on a server of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from simulated import postgresql as simulated
from sqlalchemy import NullPool, Pool, create_engine, delete, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from starlette.applications import Starlette

from needs import POSTGRES
from solon.collective.people.population import read_population
from solon.web.db import arenas, people
from solon.web.db.arena_tables import ArenaShowing
from solon.web.db.engine import Database
from solon.web.db.members import new_member
from solon.web.db.statements import by_number
from solon.web.db.tables import Conversation, Member, Participant, Stage
from web.test_arena import arena_in, pasted, rows
from web.test_database import (
    test_a_fresh_one_is_what_the_tables_say,
    test_an_old_one_is_brought_up_with_what_it_holds,
    test_one_of_a_newer_solon_is_left_alone,
    test_the_log_refuses_to_be_changed,
)
from web.test_importing import TestWhatIsTakenOver, polis
from web.test_moderating import REJECTION
from web.test_upgrades import test_what_it_held_is_whole
from web.test_votes_to_principles import test_whoever_deletes_their_statement_takes_it_out_of_the_decisions_too
from web.test_voting import POPULATION, TestJoining, TestLeaving, TestQuestions, TestVoting, at, voter
from web.visitor import Visitor, conversation_in, member_of, participant_in, site_in, the_site

pytestmark = pytest.mark.skipif(POSTGRES.place is None, reason=POSTGRES.reason)
__all__ = [
    "TestJoining",
    "TestLeaving",
    "TestQuestions",
    "TestVoting",
    "TestWhatIsTakenOver",
    "at",
    "polis",
    "test_a_fresh_one_is_what_the_tables_say",
    "test_an_old_one_is_brought_up_with_what_it_holds",
    "test_one_of_a_newer_solon_is_left_alone",
    "test_the_log_refuses_to_be_changed",
    "test_whoever_deletes_their_statement_takes_it_out_of_the_decisions_too",
    "test_what_it_held_is_whole",
    "voter",
]
NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The folder of its socket."""
    assert POSTGRES.place is not None
    with simulated.server(POSTGRES.place, durable=False) as folder:
        yield folder


@pytest.fixture(autouse=True)
def connections() -> Iterator[None]:
    """Those that a test opens end with it, as they do with the process of a site."""
    opened: list[Any] = []

    def note(connection: Any, _: object) -> None:
        opened.append(connection)

    event.listen(Pool, "connect", note)
    yield
    event.remove(Pool, "connect", note)
    for one in opened:
        one.close()


def database_of(server: str, *, copied: str = "template1") -> str:
    """A new one, from another of the server."""
    name, at = f"site{next(NUMBERS)}", "postgresql+psycopg://postgres@/{}?host=" + server
    with create_engine(at.format("postgres"), poolclass=NullPool).connect() as connection:
        create = text(f"CREATE DATABASE {name} TEMPLATE {copied}")
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(create)
    return at.format(name)


@pytest.fixture
def place(server: str) -> str:
    """A new database of the server."""
    return database_of(server)


@pytest.fixture(scope="module")
def migrated(server: str) -> str:
    """The name of one that is empty, and at its newest version."""
    at = database_of(server)
    Database(at).close()
    return str(make_url(at).database)


def test_what_is_read_is_of_one_moment(place: str) -> None:
    """An analysis asks several times."""
    database = Database(place)
    with database.session(writes=False) as reader, database.session(writes=True) as writer:
        assert reader.scalars(select(Member)).all() == []
        new_member(writer, "Ines")
        writer.commit()
        assert reader.scalars(select(Member)).all() == []


def test_nobody_is_asked_twice(app: Starlette, owner: Visitor) -> None:
    """A form that waits for the lock, while another of the same person is answered, changes nothing."""
    conversation_in(owner, population=POPULATION)
    database, population = the_site(app).database, read_population(POPULATION, Path("p"))
    with database.session(writes=True) as db:
        people.join(db, db.get_one(Conversation, 1), "browser", Stage.ASKED)
        db.commit()

    def answer(db: Session, resident: str) -> str:
        talk = db.get_one(Conversation, 1)
        found = people.participant_of(db, talk, "browser")
        assert found is not None
        return people.take_seat(db, talk, found, population, {"resident": resident, "age": "young"})

    with database.session(writes=True) as first, database.session(writes=True) as second:
        assert people.participant_of(second, second.get_one(Conversation, 1), "browser").state == Stage.ASKED  # type: ignore[union-attr]
        assert answer(first, "yes") == Stage.IN
        first.commit()
        assert answer(second, "no") == Stage.IN, "not outside now"
        second.commit()
    with database.session(writes=False) as db:
        assert list(people.answers(db, db.get_one(Conversation, 1)).values()) == [{"resident": "yes", "age": "young"}]


def test_two_who_decide_at_once_do_not_undo_each_other(app: Starlette, owner: Visitor) -> None:
    at = conversation_in(owner)
    second = member_of(app, owner, "Omar", second_owner=True)
    for visitor in (owner, second):
        visitor.get(f"{at}/moderate/0")
    statuses = []
    with the_site(app).database.session(writes=True) as db:
        by_number(db, db.get_one(Conversation, 1), 0, alone=True)
        choices = ((owner, {"decision": "accept"}), (second, REJECTION))
        threads = [threading.Thread(target=one.send, args=("/moderate/0", fields)) for one, fields in choices]
        for one in threads:
            one.start()
        time.sleep(0.5)  # both have read the statement, or wait for it
        db.rollback()
        for one in threads:
            one.join()
        statuses = sorted(one.status for one in (owner, second))
    assert statuses == [200, 409]


def test_a_vote_of_somebody_who_is_being_deleted_finds_them_gone(app: Starlette, owner: Visitor) -> None:
    """It has read them, and waits to refer to them: then it begins anew."""
    voter = participant_in(app, conversation_in(owner))
    with the_site(app).database.session(writes=True) as db:
        people.forget(db, db.get_one(Participant, 1), keep_statements=False)
        vote = threading.Thread(target=voter.send, args=("/vote",), kwargs={"vote": "agree"})
        vote.start()
        time.sleep(0.5)
        db.commit()
        vote.join()
    assert voter.status == 403 and voter.heading == "You do not take part yet"


def test_a_judge_who_asks_twice_at_once_is_shown_one_pair(app: Starlette, owner: Visitor) -> None:
    """Else they could vote on it twice."""
    at = arena_in(owner, pasted())
    judge = participant_in(app, at)
    tabs = [Visitor(app), Visitor(app)]
    with the_site(app).database.session(writes=True) as db:
        db.execute(delete(ArenaShowing))
        db.commit()
        arenas.alone(db, db.get_one(Participant, 1))
        for one in tabs:
            one.client.cookies.update(judge.client.cookies)
        threads = [threading.Thread(target=one.get, args=(f"{at}/compare",)) for one in tabs]
        for one in threads:
            one.start()
        time.sleep(0.5)  # both have read that nothing waits, or wait for each other
        db.rollback()
        for one in threads:
            one.join()
    assert [one.heading for one in tabs] == ["Two answers", "Two answers"] and len(rows(app, ArenaShowing)) == 1


@pytest.fixture
def app(tmp_path: Path, server: str, migrated: str) -> Starlette:
    return site_in(tmp_path / "site", database=database_of(server, copied=migrated).replace("+psycopg", ""))
