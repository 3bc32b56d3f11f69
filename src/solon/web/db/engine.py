"""The database opened, migrated, and its sessions: one transaction each, which reads or writes."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from threading import Lock
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from solon.errors import InputError
from solon.web.db.migrate import migrate
from solon.web.db.tables import Member

log = logging.getLogger("solon.web")
T = TypeVar("T")
WRITES = "solon_writes"
TURN = "solon_turn"
BUSY_SECONDS = 20
"""How long a writer waits for one of another process on SQLite."""
POSTGRES = "postgresql+psycopg"
OVERTAKEN = ("40P01", "40001", "23503")
"""PostgreSQL's codes: deadlock, serialization failure, a reference to a row that is gone."""
MOST_TRIES = 4
CONNECTIONS = 40
"""At once: one for each thread that answers."""
PRAGMAS = (
    f"busy_timeout={BUSY_SECONDS * 1000}",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
)
"""What is committed is on the disk before anybody is told, and what is deleted is overwritten (`overwrite_deleted`)."""


class Database:
    """One database, at its newest version."""

    def __init__(self, url: str) -> None:
        """Opens it, and migrates it where it is older. Raises InputError for one that cannot be had."""
        self.engine = _engine(url)
        # SQLite has one writer at a time. Its own way of waiting sleeps ever longer and lets others go first.
        sqlite = self.engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[object] = Lock() if sqlite else nullcontext()
        try:
            with self.engine.execution_options(**{WRITES: True}).connect() as connection:
                _migrate(connection)
        except OperationalError as error:
            what = f"the database cannot be opened: {' '.join(str(error.orig).split())}"
            raise InputError(what, hint="check --database, or the folder and its permissions") from error

    @contextmanager
    def session(self, *, writes: bool) -> Iterator[Session]:
        """One transaction, rolled back unless it is committed.

        One that writes has SQLite to itself from its start; one that reads sees a single moment.
        """
        with ExitStack() as held, Session(self._engine(writes=writes), expire_on_commit=False) as session:
            session.info[TURN] = held
            if writes:
                held.enter_context(self._turn)
            yield session

    def close(self) -> None:
        """All connections; another session opens new ones."""
        self.engine.dispose()

    def lets_write(self, session: Session) -> None:
        """A session that has read, and ended its transaction."""
        session.info[TURN].enter_context(self._turn)
        session.bind = self._engine(writes=True)

    def _engine(self, *, writes: bool) -> Engine:
        options: dict[str, Any] = {WRITES: writes}
        if not writes and self.engine.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"
        return self.engine.execution_options(**options)

    def answers(self) -> bool:
        """Can it be read?"""
        try:
            with self.session(writes=False) as session:
                session.execute(select(Member.id).limit(1))
        except SQLAlchemyError as error:
            log.error("the database does not answer: %s", " ".join(str(error).split()))
            return False
        return True

    def overwrite_deleted(self) -> None:
        """On the disk, what committed transactions have deleted: SQLite keeps it in its write-ahead log until then.

        PostgreSQL does so on its own, when it vacuums.
        """
        if self.engine.dialect.name != "sqlite":
            return
        with self.engine.connect() as connection:
            busy, *_ = _plain(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            log.warning("what was deleted stands in the write-ahead log until the next checkpoint")


def anew_after_others(transact: Callable[[], T]) -> T:
    """A transaction, begun anew where another one took away what it stood on: each waited for what the other held, or
    rows that it had read are gone. What it finds then is what the other left.
    """
    for _ in range(MOST_TRIES - 1):
        try:
            return transact()
        except (DBAPIError, StaleDataError) as error:
            if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) not in OVERTAKEN:
                raise
    return transact()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername=POSTGRES)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise InputError(f"{parsed.get_backend_name()} is no database for a site", hint="sqlite or postgresql")
        engine = create_engine(parsed, pool_size=CONNECTIONS, pool_pre_ping=parsed.get_backend_name() == "postgresql")
    except (ArgumentError, NoSuchModuleError) as error:
        raise InputError(
            "--database is no URL of a database", hint="such as postgresql://user@host/name or sqlite:///file"
        ) from error
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name} is missing", hint="pip install 'solon[postgres]'") from error
    if parsed.get_backend_name() == "sqlite":
        _keep_private(parsed.database)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _migrate(connection: Connection) -> None:
    """In one transaction. SQLite copies tables to change them: what refers to the old one must not go with it."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        _plain(connection).execute("PRAGMA foreign_keys=OFF")
    with connection.begin():
        migrate(connection)
        if sqlite and (lost := connection.exec_driver_sql("PRAGMA foreign_key_check").first()):
            raise InputError(f"the database refers to rows that it has not: {lost[0]}", hint="restore a backup")
    if sqlite:
        _plain(connection).execute("PRAGMA foreign_keys=ON")


def _plain(connection: Connection) -> Any:
    """The driver's own connection, for what stands outside of transactions."""
    return connection.connection.driver_connection


def _keep_private(path: str | None) -> None:
    """A new database is for its owner alone; SQLite gives its log the same permissions."""
    if path and path != ":memory:":
        with suppress(OSError):  # what cannot be made cannot be opened either, and is told then
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    """Transactions are begun by `_begin_sqlite`, not by Python's module."""
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
