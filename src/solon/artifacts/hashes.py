"""Hashes of files that have not changed since they were read; of large files also between processes."""

from __future__ import annotations

import hashlib
import json
import os
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from solon.artifacts.atomic import write_atomic

LARGE_BYTES = 1 << 26
"""Smaller files are read in less than a tenth of a second, and remembered by the process alone."""
MOST_KEPT = 1000
"""Entries between processes; the oldest go first."""
_NOWHERE = (OSError, RuntimeError)
"""What is raised where nothing can be kept; `Path.home()` raises a RuntimeError for a user without a home."""
_SETTLED_NS = 2_000_000_000
"""A file that changed less than this ago may change again without a newer time: some file systems count so coarsely."""


def sha256_file(path: str | Path) -> str:
    """Hex digest of a file, read piece by piece; an unchanged file is read once."""
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        if before := known(found):
            return before
        settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if settled:
        remember(found, digest)
    return digest


def known(found: os.stat_result) -> str | None:
    """The sha256 of a file in this very state, if it is remembered.

    The state is the inode, the size, and when the data and anything else about the file last changed.
    """
    return _known().get(_state(found))


def remember(found: os.stat_result, sha256: str) -> None:
    """Keeps what a file hashes to. Large files' hashes go into `~/.cache/solon`, if anything can be written there."""
    _known()[_state(found)] = sha256
    if found.st_size < LARGE_BYTES:
        return
    kept = [*_read().items(), (_state(found), sha256)][-MOST_KEPT:]
    with suppress(*_NOWHERE):
        _file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(_file(), json.dumps(dict(kept), indent=0).encode())


@cache
def _known() -> dict[str, str]:
    return _read()


def _read() -> dict[str, str]:
    """None, if there is no such file or it was damaged: then files are read again."""
    with suppress(*_NOWHERE, ValueError):
        kept = json.loads(_file().read_bytes())
        if isinstance(kept, dict) and all(isinstance(sha256, str) for sha256 in kept.values()):
            return kept
    return {}


def cache_folder() -> Path:
    """Where Solon keeps on this machine what may be deleted at any time."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "solon"


def _file() -> Path:
    return cache_folder() / "sha256.json"


def _state(found: os.stat_result) -> str:
    return ":".join(
        str(part) for part in (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    )
