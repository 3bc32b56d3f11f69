"""A site whose database is PostgreSQL: fixtures for the tests that run on it as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from simulated import postgresql as simulated
from sqlalchemy import NullPool, Pool, create_engine, event, text
from sqlalchemy.engine import make_url
from starlette.applications import Starlette

from needs import POSTGRES
from solon.web.db.engine import Database
from web.visitor import site_in

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
        with one.lock:  # an analysis that still runs would go on with memory that is another connection's by then
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


@pytest.fixture
def app(tmp_path: Path, server: str, migrated: str) -> Starlette:
    return site_on(tmp_path / "site", server, migrated)


def site_on(folder: Path, server: str, migrated: str) -> Starlette:
    """A new site of nothing."""
    return site_in(folder, database=database_of(server, copied=migrated).replace("+psycopg", ""))
