"""Where results go: nothing that is there is lost unless somebody says so, and a folder is whole or not there."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from solon.artifacts.atomic import folder_atomic
from solon.errors import Fault, InputError, Where


def require_free(*paths: Path, force: bool, reads: Iterable[Path | None] = ()) -> None:
    """Raises `InputError` that names every file that is there already, unless `force` is set, or that is read."""
    inputs = {path.resolve() for path in reads if path}
    hint = "choose another name with -o"
    faults = [Fault("is what the command reads", Where(path), hint) for path in paths if path.resolve() in inputs]
    if not faults and not force:
        hint += ", or add --force to overwrite it"
        faults = [Fault("exists already", Where(path), hint) for path in paths if path.is_file()]
    if faults:
        raise InputError(faults)


@contextmanager
def replacing(out: Path, *, marker: str, force: bool) -> Iterator[Path]:
    """A folder to fill that becomes `out` at the end. An existing one must be empty, or be `force`d and hold `marker`.

    Nothing that another program wrote is ever removed. `InputError` for what another command is writing.
    """
    if out.exists() and not out.is_dir():
        raise InputError("is a file", where=Where(out), hint="name a folder with -o")
    if out.is_dir() and any(out.iterdir()):
        if not (out / marker).is_file():
            raise InputError("the folder is not empty", where=Where(out), hint="name another with -o")
        if not force:
            raise InputError("was written before", where=Where(out), hint="name another with -o, or give --force")
    at = out.resolve()  # `.` has no name to put anything beside
    staged, before = (at.with_name(f".{at.name}.{state}") for state in ("new", "before"))
    try:
        with _alone(at):
            for leftover in (staged, before, *at.parent.glob(f".{glob.escape(staged.name)}.*.tmp")):
                shutil.rmtree(leftover, ignore_errors=True)
            with folder_atomic(staged) as folder:
                yield folder
            # The old folder is gone only when the new one has its name.
            if at.is_dir():
                os.rename(at, before)
            os.rename(staged, at)
            shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise InputError(what, where=Where(out), hint="name another place with -o") from error


@contextmanager
def _alone(at: Path) -> Iterator[None]:
    """No other command writes the same folder meanwhile. The kernel holds the lock, and it ends with the process."""
    lock = at.with_name(f".{at.name}.lock")
    if not lock.parent.exists():
        lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        held = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = lock.exists() and os.path.samestat(lock.stat(), os.fstat(descriptor))
        if not held:
            raise InputError("another command is writing it", where=Where(at), hint="wait, or name another with -o")
        try:
            yield
        finally:
            lock.unlink()
    finally:
        os.close(descriptor)
