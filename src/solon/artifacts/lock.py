"""One process per run folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from solon.errors import RunError

LOCK_NAME = ".lock"


class FolderLock:
    """An exclusive lock on a folder. The kernel holds it, so it ends with the process, also after `kill -9`.

    The file `.lock` holds the owner's process id for the message; the file itself is no sign that anybody runs.
    """

    def __init__(self, folder: Path):
        """Take the lock.

        Raises:
            RunError: if another process, or another `FolderLock` of this one, holds it.
        """
        self._descriptor: int | None = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
            self.release()
            if not isinstance(error, BlockingIOError):
                raise RunError(
                    f"cannot lock {folder}: {os.strerror(error.errno or 0)}",
                    hint="choose a folder on a file system that has locks",
                ) from error
            by = f"process {owner}" if owner.isdigit() else "another process"
            raise RunError(
                f"{folder} is in use by {by}", hint="wait until it ends, or choose another folder with -o"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Give the folder back; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
