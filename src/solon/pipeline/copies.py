"""Folders of models whose files are on another machine, copied once to each machine that has need of them."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from solon.artifacts.atomic import canonical_json, folder_atomic, sha256_bytes, sweep
from solon.artifacts.hashes import cache_folder
from solon.errors import RunError, Where
from solon.models.folder import fingerprints

Read = Callable[[Path], Iterable[bytes]]
"""A file of another machine, piece by piece."""


def here(folder: Path, files: Mapping[str, str], read: Read, *, code: bool = False) -> Path:
    """The folder, if it is on this machine with the same `fingerprints` as there, else a copy, which other processes of
    this machine find in `~/.cache/solon/models`. Raises `RunError` if a file changes while it is read.

    A file more would be read too, e.g. a chat template: such a folder is another model. `code`: Python files count.
    """
    if fingerprints(folder, code=code) == files:
        return folder
    copy = cache_folder() / "models" / sha256_bytes(canonical_json(files))[:16]
    with _alone(copy.parent):
        if not copy.is_dir():
            sweep(copy.parent)
            with folder_atomic(copy) as new:
                for name in files:
                    _write(new / name, read(folder / name))
                if fingerprints(new, code=code) != files:
                    raise RunError("a file changed while it was copied", where=Where(folder), hint="try again")
    return copy


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "xb") as file:
        file.writelines(pieces)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process of this machine at a time; the others wait, and find what it made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
