"""A real `solon serve`, in a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from solon.errors import ProcessError
from solon.town.leash import LAUNCH

ENDING = 20.0
"""Seconds that a site has to end by itself."""


@dataclass(frozen=True)
class Served:
    """A site that runs."""

    base: str
    link: str
    """Of its owner, within the site; works once."""
    process: int


@contextmanager
def served(folder: Path, *, runs: Path | None = None) -> Iterator[Served]:
    """The site of this folder for the time of the block, new or as it was left. What goes wrong stands in its
    `site.log`. `runs`: what it shows to members.

    Raises ProcessError if it does not begin.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, base = folder / "site.log", f"http://127.0.0.1:{_free_port()}"
    with log.open("a", encoding="utf-8") as said:
        process = subprocess.Popen(
            _command(base, folder, runs),
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            yield _begun(process, base, log)
        finally:
            _ended(process)


def _command(base: str, folder: Path, runs: Path | None) -> list[str]:
    """As it is typed for a site that something stands before: that tells where visitors come from."""
    options = ["--folder", str(folder), "--port", base.rpartition(":")[2], "--url", base, "--proxies", "127.0.0.1"]
    return [*LAUNCH, "serve", *options, *(["--runs", str(runs)] if runs else [])]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _begun(process: subprocess.Popen[str], base: str, log: Path) -> Served:
    assert process.stdout is not None
    told = process.stdout.readline(), process.stdout.readline()
    link = told[1].rpartition(" ")[2].strip()
    if not link.startswith(base):
        raise ProcessError(f"the site did not begin: {log.read_text(encoding='utf-8').strip()[-300:]} (see {log})")
    return Served(base, link.removeprefix(base), process.pid)


def _ended(process: subprocess.Popen[str]) -> None:
    """As somebody at the keyboard ends it; by force if it does not."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(ENDING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
