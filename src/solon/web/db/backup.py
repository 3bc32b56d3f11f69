"""A copy of a site that runs, and a site from such a copy. SQLite's; PostgreSQL has programs for it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.script import ScriptDirectory

from solon.errors import InputError, Where
from solon.web.db.migrate import REVISIONS
from solon.web.settings import Settings

SECRET_ENDS = ".secret"
LEFTOVERS = ("", "-wal", "-shm", "-journal")
"""Endings of what belongs to a database of SQLite."""


def back_up(settings: Settings, to: Path) -> list[Path]:
    """The database as it is at one moment, while the site goes on, and its secret beside it. Returns what was written.

    Raises InputError where there is no such site, it is not SQLite's, or something is there already.
    """
    of = _file(settings, "pg_dump --format=custom --file=FILE DATABASE")
    require_site(settings)
    secret = settings.folder / "secret"
    pairs = [(of, to), *([(secret, _beside(to))] if secret.is_file() else [])]
    _require_free([target for _, target in pairs])
    for source, target in pairs:
        part = target.with_name(f"{target.name}.part")
        _private(part)
        if source is of:
            _copy(of, part)
        else:
            part.write_bytes(secret.read_bytes())
        _settle(part, target)
    return [target for _, target in pairs]


def restore(settings: Settings, of: Path) -> list[Path]:
    """A site from a copy, where there is none yet; it is migrated at its next start. Returns what was written.

    Raises InputError for what is no copy of a site, or of a newer Solon, and where a site is already.
    """
    to = _file(settings, "pg_restore --dbname=DATABASE FILE")
    _require_whole(of)
    pairs = [(of, to), (_beside(of), settings.folder / "secret")]
    pairs = [(source, target) for source, target in pairs if source.is_file()]
    _require_free([*(to.with_name(to.name + ending) for ending in LEFTOVERS), *(target for _, target in pairs)])
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for source, target in reversed(pairs):  # the database last: a site without it is none
        part = target.with_name(f"{target.name}.part")
        _private(part)
        part.write_bytes(source.read_bytes())
        _settle(part, target)
    return [target for _, target in pairs]


def require_site(settings: Settings) -> None:
    """Raises InputError where a database of SQLite is not there: to open it would make a new one."""
    kind, _, path = settings.database_url.partition(":///")
    if kind == "sqlite" and not Path(path).is_file():
        raise InputError("there is no site here", where=Where(path), hint="name its folder with --folder")


def _file(settings: Settings, otherwise: str) -> Path:
    """Of the database."""
    kind, _, path = settings.database_url.partition(":///")
    if kind != "sqlite" or not path:
        raise InputError("only SQLite's databases are copied here", hint=f"for PostgreSQL: {otherwise}")
    return Path(path)


def _beside(path: Path) -> Path:
    return path.with_name(path.name + SECRET_ENDS)


def _require_free(paths: list[Path]) -> None:
    for path in paths:
        if path.exists():
            raise InputError("is there already; nothing was written", where=Where(path), hint="move it away first")


def _require_whole(path: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as found:
            faults = [row[0] for row in found.execute("PRAGMA integrity_check") if row[0] != "ok"]
            revision = found.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise InputError(f"is no copy of a site: {error}", where=Where(path)) from error
    if faults:
        raise InputError(f"is damaged: {faults[0]}", where=Where(path), hint="take an older copy")
    if revision[0] not in {one.revision for one in ScriptDirectory(REVISIONS).walk_revisions()}:
        raise InputError(f"is of a newer Solon (revision {revision[0]})", where=Where(path), hint="install the newest")


def _private(path: Path) -> None:
    """A new file for its owner alone. Raises InputError where it cannot be."""
    try:
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", where=Where(path)) from error


def _copy(of: Path, to: Path) -> None:
    with closing(sqlite3.connect(of)) as source, closing(sqlite3.connect(to)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it


def _settle(part: Path, target: Path) -> None:
    """On the disk, under its name."""
    for path in (part, part.parent):
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
        if path is part:
            os.replace(part, target)
