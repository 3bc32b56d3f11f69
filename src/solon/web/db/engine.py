"""The database opened, migrated, and its sessions: one transaction each, which reads or writes."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from solon.errors import InputError
from solon.web.db.migrate import migrate

log = logging.getLogger("solon.web")
WRITES = "solon_writes"
BUSY_SECONDS = 20
"""How long a writer waits for another on SQLite, which has one at a time."""
POSTGRES = "postgresql+psycopg"
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
        with Session(self._engine(writes=writes), expire_on_commit=False) as session:
            yield session

    def lets_write(self, session: Session) -> None:
        """A session that has read, and ended its transaction."""
        session.bind = self._engine(writes=True)

    def _engine(self, *, writes: bool) -> Engine:
        options: dict[str, Any] = {WRITES: writes}
        if not writes and self.engine.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"
        return self.engine.execution_options(**options)

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
