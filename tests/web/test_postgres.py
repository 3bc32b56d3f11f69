"""A site with PostgreSQL does all that one with SQLite does: the same tests, on a server of their own.

Here are those of databases and of people who take part, and what happens with PostgreSQL alone; beside it
`test_postgres_team.py`, of whoever decides and tidies, and `test_postgres_results.py`, of results and arenas.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session
from starlette.applications import Starlette

from needs import POSTGRES, ROOT
from solon.collective.people.population import read_population
from solon.web.db import arenas, people
from solon.web.db.arena_tables import ArenaShowing
from solon.web.db.engine import Database
from solon.web.db.members import new_member
from solon.web.db.statements import by_number
from solon.web.db.tables import Audited, Base, Conversation, Member, Participant, Stage
from web.postgres_site import app, connections, database_of, migrated, place, server
from web.test_arena import arena_in, pasted, rows
from web.test_database import (
    test_a_fresh_one_is_what_the_tables_say,
    test_an_old_one_is_brought_up_with_what_it_holds,
    test_one_of_a_newer_solon_is_left_alone,
    test_the_log_refuses_to_be_changed,
)
from web.test_events import (
    site,
    test_a_row_that_appears_late_is_found,
)
from web.test_importing import TestWhatIsTakenOver, polis
from web.test_moderating import REJECTION
from web.test_upgrades import test_what_it_held_is_whole
from web.test_votes_to_principles import test_whoever_deletes_their_statement_takes_it_out_of_the_decisions_too
from web.test_voting import (
    POPULATION,
    TestJoining,
    TestLeaving,
    TestQuestions,
    TestVoting,
    at,
    voter,
)
from web.visitor import Visitor, conversation_in, member_of, participant_in, site_in, the_site

pytestmark = pytest.mark.skipif(POSTGRES.place is None, reason=POSTGRES.reason)
__all__ = [
    "TestJoining",
    "TestLeaving",
    "TestQuestions",
    "TestVoting",
    "TestWhatIsTakenOver",
    "app",
    "at",
    "connections",
    "migrated",
    "place",
    "polis",
    "server",
    "site",
    "test_a_fresh_one_is_what_the_tables_say",
    "test_a_row_that_appears_late_is_found",
    "test_an_old_one_is_brought_up_with_what_it_holds",
    "test_one_of_a_newer_solon_is_left_alone",
    "test_the_log_refuses_to_be_changed",
    "test_what_it_held_is_whole",
    "test_whoever_deletes_their_statement_takes_it_out_of_the_decisions_too",
    "voter",
]


@pytest.fixture
def url(server: str, migrated: str) -> str:
    """Of one at its newest version."""
    return database_of(server, copied=migrated)


def test_a_dump_is_the_site_when_it_is_restored(app: Starlette, owner: Visitor, tmp_path: Path, server: str) -> None:
    """By the commands of docs/operators.md: every table is equal, the log is still append-only, people go on voting."""
    at = conversation_in(owner)
    voter = participant_in(app, at)
    voter.send("/vote", vote="agree")
    made, restored = (make_url(the_site(app).settings.database_url), make_url(database_of(server)))
    for command in DUMPED.format(of=made.database, to=restored.database, file=tmp_path / "site.dump").splitlines():
        program, *given = command.split()
        assert POSTGRES.place is not None
        environment = {"PATH": os.environ["PATH"], "PGHOST": server, "PGUSER": "postgres"}
        subprocess.run([POSTGRES.place.parent / program, *given], env=environment, check=True, timeout=60)
    before, after = (tables(Database(str(one))) for one in (made, restored))
    assert before == after and len(before["votes"]) == len(before["participants"]) == 1
    there = site_in(tmp_path / "site", database=str(restored))
    again = Visitor(there)
    again.client.cookies = voter.client.cookies
    again.get(f"{at}/vote")
    again.send("/vote", vote="disagree")
    assert again.status == 200 and len(tables(the_site(there).database)["votes"]) == 2
    with the_site(there).database.session(writes=True) as db, pytest.raises(DatabaseError, match="append-only"):
        db.execute(delete(Audited))


DUMPED = "pg_dump --format=custom --file={file} {of}\npg_restore --dbname={to} {file}"
"""As the page has them (`test_operators_are_told_these_commands`)."""


def tables(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of each."""
    with database.session(writes=False) as db:
        return {
            name: sorted(map(tuple, db.execute(select(table)).all()), key=repr)
            for name, table in Base.metadata.tables.items()
        }


def test_operators_are_told_these_commands() -> None:
    page = (ROOT / "docs/operators.md").read_text(encoding="utf-8")
    for command in DUMPED.format(of="solon", to="solon", file="site.dump").splitlines():
        assert f"`{command}`" in page


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
