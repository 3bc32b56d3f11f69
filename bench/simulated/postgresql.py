"""A PostgreSQL server of one's own, for tests and trials: in a new folder, on a socket, removed afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def postgres() -> Path | None:
    """The program of the system's package, or on the path; None if there is none."""
    packaged = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    found = shutil.which("postgres")
    return packaged[-1] if packaged else Path(found) if found else None


@contextmanager
def server(program: Path, *, durable: bool) -> Iterator[str]:
    """The folder of its socket; user `postgres`, no password. `durable`: what is committed is on the disk, as in use.

    PostgreSQL does not run as root, so root runs it as `postgres`.
    """
    folder = Path(tempfile.mkdtemp(prefix="solon-pg-"))
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")

    def run(name: str, *options: str) -> None:
        command = [*as_user, str(program.parent / name), "-D", str(folder / "data"), *options]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120)

    run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync={'on' if durable else 'off'}"
    run("pg_ctl", "start", "--wait", "--log", str(folder / "log"), "--options", settings)
    try:
        yield str(folder)
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")
        shutil.rmtree(folder)


def url(folder: str, name: str = "postgres") -> str:
    """Of a database of the server."""
    return f"postgresql://postgres@/{name}?host={folder}"
