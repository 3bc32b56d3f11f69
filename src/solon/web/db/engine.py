"""The database opened, migrated, and its sessions: one transaction each, which reads or writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from solon.errors import InputError
from solon.web.db.migrate import migrate

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
"""What is committed is on the disk before anybody is told, and what is deleted is overwritten."""


class Database:
    """One database, at its newest version."""

    def __init__(self, url: str) -> None:
        """Opens it, and migrates it where it is older. Raises InputError for one that cannot be had."""
        self.engine = _engine(url)
        try:
            with self.engine.execution_options(**{WRITES: True}).begin() as connection:
                migrate(connection)
        except OperationalError as error:
            what = f"the database cannot be opened: {' '.join(str(error.orig).split())}"
            raise InputError(what, hint="check --database, or the folder and its permissions") from error

    @contextmanager
    def session(self, *, writes: bool) -> Iterator[Session]:
        """One transaction, rolled back unless it is committed. One that writes has SQLite to itself from its start."""
        with Session(self.engine.execution_options(**{WRITES: writes}), expire_on_commit=False) as session:
            yield session


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
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    """Transactions are begun by `_begin_sqlite`, not by Python's module."""
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
