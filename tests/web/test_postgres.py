"""A site with PostgreSQL does all that one with SQLite does: the same tests, on a server of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from starlette.applications import Starlette

from needs import POSTGRES
from web.test_database import (
    test_a_fresh_one_is_what_the_tables_say,
    test_an_old_one_is_brought_up_with_what_it_holds,
    test_one_of_a_newer_solon_is_left_alone,
    test_the_log_refuses_to_be_changed,
)
from web.test_voting import TestJoining, TestLeaving, TestQuestions, TestVoting, at, voter
from web.visitor import site_in

pytestmark = pytest.mark.skipif(POSTGRES.place is None, reason=POSTGRES.reason)
__all__ = [
    "TestJoining",
    "TestLeaving",
    "TestQuestions",
    "TestVoting",
    "at",
    "test_a_fresh_one_is_what_the_tables_say",
    "test_an_old_one_is_brought_up_with_what_it_holds",
    "test_one_of_a_newer_solon_is_left_alone",
    "test_the_log_refuses_to_be_changed",
    "voter",
]
NUMBERS = count()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The folder of its socket. PostgreSQL does not run as root, so root runs it as `postgres`."""
    assert POSTGRES.place is not None
    folder = Path(tempfile.mkdtemp(prefix="solon-pg-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")

    def run(program: str, *options: str) -> None:
        command = [*as_user, str(POSTGRES.place.parent / program), "-D", str(folder / "data"), *options]  # type: ignore[union-attr]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120)

    run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "--options", settings)
    try:
        yield str(folder)
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(folder)


@pytest.fixture
def place(server: str) -> str:
    """A new database of the server."""
    name = f"site{next(NUMBERS)}"
    with create_engine(f"postgresql+psycopg://postgres@/postgres?host={server}").connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(f"CREATE DATABASE {name}"))
    return f"postgresql+psycopg://postgres@/{name}?host={server}"


@pytest.fixture
def app(tmp_path: Path, place: str) -> Starlette:
    return site_in(tmp_path / "site", database=place.replace("+psycopg", ""))
