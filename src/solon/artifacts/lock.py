"""One process per run folder."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from solon.errors import RunError

LOCK_NAME = ".lock"
_PATIENCE_SECONDS = 10.0
"""How long the children of a process that was killed may take to notice."""
_LOOK_SECONDS = 0.2
"""How long `is_held` of other processes may stand in the way."""


class FolderLock:
    """An exclusive lock on a folder. The kernel holds it, so it ends with the process, also after `kill -9`.

    It is held as long as the process or a child that was given `descriptor` lives. The file `.lock` holds the owner's
    process id for the message; the file itself is no sign that anybody runs.
    """

    def __init__(self, folder: Path):
        """Take the lock. Raises `RunError` if another process, or another `FolderLock` of this one, holds it."""
        self.descriptor: int | None = _open(folder / LOCK_NAME)
        began = time.monotonic()
        while not self._taken(folder):
            owner = os.pread(self.descriptor, 32, 0).decode("ascii", "replace").strip()
            killed = owner.isdigit() and not _alive(int(owner))
            if time.monotonic() < began + (_PATIENCE_SECONDS if killed else _LOOK_SECONDS):
                time.sleep(0.02)
                continue
            self.release()
            by = f"process {owner}" if owner.isdigit() else "another process"
            raise RunError(f"{folder} is in use by {by}", hint="wait until it ends, or use another run folder")
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, f"{os.getpid()}\n".encode(), 0)

    def _taken(self, folder: Path) -> bool:
        assert self.descriptor is not None
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            self.release()
            raise RunError(
                f"cannot lock {folder}: {os.strerror(error.errno or 0)}",
                hint="choose a folder on a file system that has locks",
            ) from error
        return True

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


def is_held(folder: Path) -> bool:
    """Whether somebody works in a folder now. Looking takes nothing away: who wants the lock meanwhile waits for the
    moment that it takes."""
    path = folder / LOCK_NAME
    if path.is_symlink() or not path.is_file():
        return False
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _open(path: Path) -> int:
    """A descriptor of the file, made if need be. What else stands there is not written to: a link may lead anywhere."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise RunError(f"{path} is not a plain file", hint="delete it: it is no lock of Solon's")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    return os.open(path, flags, 0o666)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True
