"""What the command line says when something goes wrong, and the code it exits with.

0    done
1    the run failed (for instance, too many unreadable verdicts), or a bug, which keeps its traceback
2    something the user gave cannot be used: one line per fault
130  interrupted with Ctrl-C
"""

from __future__ import annotations

import errno
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from solon.errors import SolonError, UserError

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130


def say_error(message: str) -> None:
    """One line on standard error. A line break inside a message would look like a second fault, so it is folded."""
    typer.secho("error: ", fg="red", bold=True, err=True, nl=False)
    typer.echo(" ".join(message.split()), err=True)


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """Tell whoever stops in here, by Ctrl-C, failure or bug, how to go on with the run in `folder`.

    Not said of a `UserError`: there the fault has to be mended first, and it carries its own hint.
    """
    try:
        yield
    except UserError:
        raise
    except BaseException as error:
        if folder.is_dir():
            error.add_note(f"What was done is kept. To go on: solon resume {shlex.quote(str(folder))}")
        raise


@contextmanager
def faults_explained() -> Iterator[None]:
    """Turn errors raised on purpose into one line each and an exit code; let bugs through with their traceback."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo("\ninterrupted", err=True)
        _say_notes(error)
        raise typer.Exit(INTERRUPTED) from None
    except UserError as error:
        for fault in error.faults:
            say_error(str(fault))
        _say_notes(error)
        raise typer.Exit(UNUSABLE) from None
    except SolonError as error:
        say_error(str(error))
        _say_notes(error)
        raise typer.Exit(FAILED) from None
    except Exception as error:
        if not _disk_is_full(error):
            raise
        name = getattr(error, "filename", None)
        say_error(f"no space left on the device{f', writing {name}' if name else ''} (make room, then go on)")
        _say_notes(error)
        raise typer.Exit(UNUSABLE) from None


def _say_notes(error: BaseException) -> None:
    for note in getattr(error, "__notes__", ()):
        typer.echo(note, err=True)


def _disk_is_full(error: Exception) -> bool:
    """safetensors and torch report a full disk by text alone, so the text counts too."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return True
    return "No space left on device" in str(error)
