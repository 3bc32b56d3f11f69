"""What a site needs to know before it starts. Everything has a default."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field

from solon.errors import InputError, Where
from solon.records import Record

SECRET = "SOLON_SECRET"
"""The environment variable that may hold the secret."""
SHORTEST_SECRET = 32
LOCAL = ("127.0.0.1", "localhost", "::1", "[::1]")
RUNS = Path("runs")
"""Where `solon run` puts runs, unless it is told otherwise."""
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104  # only if asked for

PLAIN = (
    "Others can reach this site, and it speaks plain HTTP: whoever is on the way reads and changes everything, cookies "
    "included. Put a server that speaks HTTPS before it, and start with --url https://NAME; see docs/operators.md."
)


class Settings(Record):
    """One site."""

    folder: Path = Path("solon-site")
    """Holds the database, unless another is named, and the secret; made for its owner alone."""
    database: str = ""
    """URL of the database; empty: SQLite in the folder."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    url: str = ""
    """Where people reach the site, e.g. `https://voices.example.org`; empty: where it listens."""
    proxies: str = "127.0.0.1"
    """Addresses whose word on the visitor's address and protocol is taken, separated by commas."""

    workers: int = Field(default=1, ge=1, le=64)
    """Processes that answer. Each counts limits for itself, and keeps an analysis of its own."""

    runs: Path | None = Field(default_factory=lambda: RUNS if RUNS.is_dir() else None)
    """Runs, for members to look at and to talk to; by default `runs`, if there is one. None: no such pages."""

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.folder.resolve() / 'site.sqlite'}"

    @property
    def base(self) -> str:
        """The address of the site, without a slash at its end."""
        host = "127.0.0.1" if self.host in EVERYWHERE else f"[{self.host}]" if ":" in self.host else self.host
        return self.url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def warning(self) -> str:
        """What whoever starts it has to know: others can reach it, over plain HTTP. Empty: nothing."""
        local = self.host in LOCAL and urlsplit(self.base).hostname in LOCAL
        return "" if local or self.base.startswith("https://") else PLAIN

    @property
    def hosts(self) -> list[str]:
        """Names that the site answers to, so that no other name can be made to lead here and read along."""
        if self.host in EVERYWHERE and not self.url:
            return ["*"]
        return [*LOCAL, self.host, urlsplit(self.base).hostname or ""]

    @cached_property
    def secret(self) -> bytes:
        """What signs sessions and hashes tokens: of the environment, else kept in the folder, made at the first start.

        Raises InputError for one that is too short or cannot be kept.
        """
        given = os.environ.get(SECRET)
        path = self.folder / "secret"
        try:
            if not (given and self.database):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            text = given or _kept(path)
        except OSError as error:
            what = f"cannot be kept: {error.strerror or error}"
            raise InputError(what, where=Where(path), hint=f"name another --folder, or set {SECRET}") from error
        if len(text) < SHORTEST_SECRET:
            where = Where(SECRET if given else path)
            raise InputError("the secret is too short", where=where, hint=f"take {SHORTEST_SECRET} random characters")
        return text.encode()


def _kept(path: Path) -> str:
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(made, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(made)
    return path.read_text().strip()
