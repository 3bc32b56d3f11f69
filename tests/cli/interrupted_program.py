"""The `solon` program with one command, made to be interrupted: `python interrupted_program.py CASE`.

Most cases signal themselves at the very place; the others say "working" and wait for it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from solon.cli import program

CALLBACK = ctypes.CFUNCTYPE(None)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.001)  # Python looks for signals between two lines


def work(seconds: float = 20.0) -> None:
    print("working", flush=True)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.001)


class Finalized:
    def __del__(self) -> None:
        interrupt()


def in_a_finalizer() -> None:
    Finalized()
    work()


def in_a_callback_from_c() -> None:
    CALLBACK(interrupt)()
    work()


def in_an_import() -> None:
    """Of the command line itself, before anything else of it is there."""


def where_everything_is_caught() -> None:
    for action in (interrupt, work):  # when it is raised again, too
        with suppress(BaseException):
            action()
    work()


def where_it_becomes_a_bug() -> None:
    try:
        interrupt()
    except KeyboardInterrupt:
        raise RuntimeError("not what happened") from None


def where_it_becomes_a_fault_of_the_user() -> None:
    from solon.cli.faults import resumable
    from solon.errors import UserError

    with resumable(Path()):
        try:
            interrupt()
        except KeyboardInterrupt:
            raise UserError("the checkpoint cannot be read") from None


def with_a_long_clean_up() -> None:
    try:
        interrupt()
    finally:
        time.sleep(0.7)  # longer than from one raising to the next
        print("tidied up", flush=True)


def at_work() -> None:
    work()


def at_work_in_c() -> None:
    """Python hears of a signal only when this is over."""
    print("working", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 100_000_000)


def at_an_endless_clean_up() -> None:
    try:
        interrupt()
    finally:
        work()


class ImportOfTyper:
    """Finds nothing; only interrupts."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "typer":
            interrupt()


def main() -> None:
    case = sys.argv[1]
    if case == "in_an_import":
        sys.meta_path.insert(0, ImportOfTyper())  # type: ignore[arg-type]
    else:
        from solon.cli import main

        main.Solon.table = (main.Entry(case, f"__main__:{case}", "Made up."),)
    program.run()


if __name__ == "__main__":
    main()
