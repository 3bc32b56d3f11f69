"""What the command line says when something fails, and its exit code (docs/formats.md has all of them)."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from solon.cli import interrupts
from solon.errors import SolonError, UserError
from solon.text import printable

FAILED, UNUSABLE = 1, 2


def say_error(message: str) -> None:
    """One line on standard error. A line break inside a message would look like a second fault, so it is folded; what
    files and servers say does not command the terminal."""
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(printable(" ".join(message.split())), err=True)


def say_note(text: str) -> None:
    """One line on standard error, of what is to be known and is no error."""
    typer.echo(printable(text), err=True)


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """Adds to a signal, failure or bug in the block how to continue the run in `folder`.

    Not to a `UserError`: it has a hint of its own, and must be fixed first.
    """
    with resumable_with(folder, f"solon resume {shlex.quote(str(folder))}"):
        yield


@contextmanager
def resumable_with(folder: Path, command: str) -> Iterator[None]:
    """The same of work in `folder` that another command goes on with."""
    try:
        yield
    except BaseException as error:
        faulty = isinstance(error, UserError) and not interrupts.pending()
        if folder.is_dir() and not faulty:
            error.add_note(f"Finished work is kept. To continue: {command}")
        raise


@contextmanager
def faults_explained() -> Iterator[None]:
    """Turn errors raised on purpose into one line each and an exit code; let bugs through with their traceback."""
    try:
        yield
    except (KeyboardInterrupt, Exception) as error:
        code = _explain(error)
        if code is None:
            raise
        raise typer.Exit(code) from None


def _explain(error: BaseException) -> int | None:
    """Say what went wrong; the exit code. None if it is a bug."""
    if isinstance(error, KeyboardInterrupt) or interrupts.pending():
        return interrupts.end(error)
    if isinstance(error, UserError):
        lines, code = [str(fault) for fault in error.faults], UNUSABLE
    elif isinstance(error, SolonError):
        lines, code = [str(error)], FAILED
    elif _disk_is_full(error):
        name = getattr(error, "filename", None)
        full = "file too large" if getattr(error, "errno", None) == errno.EFBIG else "no space left on the device"
        what = f"{full}{f', writing {name}' if name else ''} (make room, then continue)"
        lines, code = [what], UNUSABLE
    else:
        return None
    for line in lines:
        say_error(line)
    for note in getattr(error, "__notes__", ()):
        say_note(note)
    return code


def _disk_is_full(error: BaseException) -> bool:
    """safetensors and torch report a full disk by text alone, so the text counts too."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return True
    return "No space left on device" in str(error)
