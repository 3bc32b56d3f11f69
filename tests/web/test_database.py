"""The database: migrations from the first schema on, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import UniqueConstraint, create_engine, delete, insert, inspect, text, update
from sqlalchemy.exc import DatabaseError

from solon.errors import InputError
from solon.web.db.engine import Database
from solon.web.db.members import new_member, remove_member
from solon.web.db.migrate import REVISIONS, migrate
from solon.web.db.tables import Audited, Base

CONVERSATION = (
    *("id", "slug", "topic", "description", "organiser", "contact", "consent", "language", "population", "state"),
    *("invited", "listed", "strict", "votes_before_writing", "longest", "least_views", "seeds_first", "seed"),
    *("created", "criteria", "second_look", "results"),
)


def revisions() -> list[str]:
    return [one.revision for one in ScriptDirectory(REVISIONS).walk_revisions()][::-1]


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'site.sqlite'}"


@pytest.fixture
def place(tmp_path: Path) -> str:
    """Of a database that is not there yet."""
    return url(tmp_path)


def test_a_fresh_one_is_what_the_tables_say(place: str) -> None:
    database = Database(place)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert MigrationContext.configure(connection).get_current_revision() == revisions()[-1]
        assert migrate(connection) == []


@pytest.mark.parametrize("last", revisions())
def test_an_old_one_is_brought_up_with_what_it_holds(place: str, last: str) -> None:
    """From every schema there ever was, the first on."""
    engine = create_engine(place)
    with engine.begin() as connection:
        assert migrate(connection, last) == revisions()[: revisions().index(last) + 1]
        connection.execute(text("INSERT INTO members (name, owner, created) VALUES ('Ines', true, 5)"))
        connection.execute(text("INSERT INTO audit (time, actor, action, detail) VALUES (1, 'site', 'x', '{}')"))
        connection.execute(text("INSERT INTO sign_ins VALUES ('browser', 1, 9)"))
    database = Database(place)
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.execute(text("SELECT member_id FROM sign_ins")).all() == [(1,)], "nothing goes with a copy"
        assert connection.execute(text("SELECT name, owner, created FROM members")).all() == [("Ines", True, 5)]
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 1


def test_an_id_is_not_given_again(place: str) -> None:
    database = Database(place)
    with database.session(writes=True) as db:
        first = new_member(db, "Ines")
        remove_member(db, first)
        assert new_member(db, "Omar").id > first.id


def test_an_old_schema_keeps_its_keys(place: str) -> None:
    Database(place)
    with create_engine(place).connect() as connection:
        found = inspect(connection)
        for table in ("members", "votes", "showings"):
            wanted = Base.metadata.tables[table]
            keys = {(key["referred_table"], key["options"]["ondelete"]) for key in found.get_foreign_keys(table)}
            assert keys == {(key.column.table.name, key.ondelete) for key in wanted.foreign_keys}
            unique = {tuple(one["column_names"]) for one in found.get_unique_constraints(table)}
            assert unique == {
                tuple(column.name for column in one.columns)
                for one in wanted.constraints
                if isinstance(one, UniqueConstraint)
            } | {(column.name,) for column in wanted.columns if column.unique}
            indexed = {tuple(one["column_names"]) for one in found.get_indexes(table) if not one["unique"]}
            assert indexed == {tuple(column.name for column in one.columns) for one in wanted.indexes}


def test_why_somebody_asked_for_another_look_leaves_the_log(place: str) -> None:
    """Of an old database; nobody's words stay whose author has gone."""
    engine = create_engine(place)
    with engine.begin() as connection:
        migrate(connection, "0005")
        talk = "1, 'a', 't', '', '', '', '', '', '', 'open', false, false, true, 1, 400, 1, 1, 1, 1, '', true, 'team'"
        connection.execute(text(f"INSERT INTO conversations ({', '.join(CONVERSATION)}) VALUES ({talk})"))
        connection.execute(text("INSERT INTO participants VALUES (1, 1, 7, 'b', 'in', 1)"))
        for id, author in ((1, "1"), (2, "NULL")):
            fields = "id, conversation_id, number, text, author_id, moderated, is_seed, is_meta, withdrawn, created"
            values = f"{id}, 1, {id}, 'Say it.', {author}, -1, false, false, false, 1"
            connection.execute(text(f"INSERT INTO statements ({fields}) VALUES ({values})"))
            told = f"{id}, {id}, 1, NULL, 'author', 'appeal', '', 'It is mine.'"
            connection.execute(text(f"INSERT INTO decisions VALUES ({told})"))
    database = Database(place)
    with database.session(writes=True) as db:
        assert db.execute(text("SELECT appeal FROM statements ORDER BY id")).scalars().all() == ["It is mine.", ""]
        assert db.execute(text("SELECT DISTINCT reason FROM decisions")).scalars().all() == [""]
        with pytest.raises(DatabaseError, match="decisions is append-only"):
            db.execute(text("DELETE FROM decisions"))


def test_one_of_a_newer_solon_is_left_alone(place: str) -> None:
    Database(place)
    with create_engine(place).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match=r"the database is of a newer Solon \(revision 9999\)"):
        Database(place)


@pytest.mark.parametrize("change", [update(Audited).values(actor="nobody"), delete(Audited)])
def test_the_log_refuses_to_be_changed(place: str, change) -> None:  # type: ignore[no-untyped-def]
    database = Database(place)
    with database.session(writes=True) as db:
        db.execute(insert(Audited).values(time=1, actor="site", action="x", detail={}))
        db.commit()
    with database.session(writes=True) as db, pytest.raises(DatabaseError, match="audit is append-only"):
        db.execute(change)


def test_what_is_committed_is_on_the_disk(tmp_path: Path) -> None:
    with Database(url(tmp_path)).engine.connect() as connection:
        pragmas = [connection.exec_driver_sql(f"PRAGMA {one}").scalar() for one in ("synchronous", "foreign_keys")]
        assert pragmas == [2, 1] and connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("nothing", "--database is no URL of a database"),
        ("mysql://x/y", "mysql is no database for a site"),
        ("sqlite:////nowhere/at/all.sqlite", "the database cannot be opened: unable to open database file"),
    ],
)
def test_one_that_cannot_be_had(wrong: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Database(wrong)
