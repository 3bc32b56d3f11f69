"""What is computed once for the same input and code, and kept for the next command.

Files lie in the user's cache (`$XDG_CACHE_HOME/solon`, by default `~/.cache/solon`), for an export may be somebody
else's folder. Their names are hashes of the input, of the code of this part of the package, and of NumPy's version. One
that is damaged, or that another user may have written, is computed anew. All may be deleted at any time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.records import Record

MOST_KEPT = 200
"""Files; the oldest go first."""
Kept = TypeVar("Kept", bound=Record)


def kept(kind: type[Kept], made_from: bytes, compute: Callable[[], Kept]) -> Kept:
    """The record that `compute` gives, or the one that an earlier command kept for the same `made_from`.

    It must hold nothing that its input does not decide, and nobody's id, text or vote: files outlive the conversation.
    """
    key = sha256(b"\0".join((_code().encode(), kind.__name__.encode(), made_from))).hexdigest()
    path = folder() / f"{key}.json"
    found = _read(kind, path)
    if found is None:
        found = compute()
        _write(path, canonical_json(found))
    return found


def folder() -> Path:
    """Where files are kept. A relative `XDG_CACHE_HOME` counts as none, as its specification has it."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else Path.home() / ".cache") / "solon"


@cache
def _code() -> str:
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    return sha256_bytes(b"".join(sources) + np.__version__.encode())


def _read(kind: type[Kept], path: Path) -> Kept | None:
    """None: not there, or not as it was written."""
    with suppress(OSError, ValueError):  # what pydantic raises is a ValueError, too
        if not (_ours(path.parent) and _ours(path) and not path.is_symlink()):
            return None
        said, data = path.read_bytes().split(b"\n", 1)
        if said.decode() == sha256_bytes(data):
            return kind.model_validate_json(data)
    return None


def _ours(path: Path) -> bool:
    """Nobody else can have written it: a checksum can be forged."""
    found = path.stat()
    return found.st_uid == os.getuid() and not found.st_mode & 0o022


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, whoever else writes it. A cache that cannot be written keeps nothing."""
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")  # a name that no other process has
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(sha256_bytes(data).encode() + b"\n" + data)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
        by_age = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in by_age[MOST_KEPT:]:
            old.unlink(missing_ok=True)
