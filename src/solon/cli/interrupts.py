"""Ctrl-C and SIGTERM end the program, whatever code they meet.

Python answers a signal with an exception in the function that happens to run. In a finalizer, a callback from C or a
library that catches every exception, it is dropped, and the program continues as if nothing had happened. So the signal
is also noted, and raised again until the program has ended: by a timer, and wherever a run reports its progress.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_SECONDS = 0.2
"""Between one raising and the next: long enough to clean up a little, short enough to seem immediate."""

_noted: int | None = None
"""The signal that has come and has not ended the program yet."""
_spared = False
"""Whether somebody answers Ctrl-C, so that it ends nothing."""


def watch() -> None:
    """From now on either signal ends the program: the first raises `KeyboardInterrupt`, a second kills at once.

    A signal that the program was started to ignore, like Ctrl-C in a shell's background job, stays ignored.
    """
    sys.unraisablehook = _unraisable
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_kill_at_the_second, args=(heard,), daemon=True).start()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _note)


def pending() -> bool:
    """Has a signal come, and not ended the program yet?"""
    return _noted is not None


@contextmanager
def answered() -> Iterator[None]:
    """In the block Ctrl-C raises `KeyboardInterrupt`, as often as it comes, and ends nothing: the block answers it."""
    global _spared
    before = signal.getsignal(signal.SIGINT)
    if before is not _note:
        yield
        return
    _spared = True
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _spared = False


def heed() -> None:
    """Raise `KeyboardInterrupt` if a signal is pending: before a result is kept that might not be what it seems."""
    if pending():
        raise KeyboardInterrupt


def end(error: BaseException) -> int:
    """Say what an interrupt has to say, with the notes of the error it came as, and leave.

    Returns the exit code where it was raised by hand and no signal came, as in tests.
    """
    for line in ("\ninterrupted", *getattr(error, "__notes__", ())):
        print(line, file=sys.stderr)
    if _noted is not None:
        leave(128 + _noted)
    return 128 + (_noted or signal.SIGINT)


def leave(code: int) -> None:
    """End the process with an exit code: at once, for torch takes a second to be taken apart, deaf to signals.

    Returns only if the output cannot be written; Python's own end tells that.
    """
    with suppress(OSError):
        sys.stdout.flush()
        atexit._run_exitfuncs()
        os._exit(code)


def end_at_the_next() -> None:
    """From now on a signal ends the program here and now."""
    for number in SIGNALS:
        if signal.getsignal(number) is _note:
            signal.signal(number, _leave)


def _note(number: int, _frame: FrameType | None) -> None:
    global _noted
    _noted = number
    end_at_the_next()
    signal.signal(signal.SIGALRM, _raise_again)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
    raise KeyboardInterrupt


def _leave(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def _raise_again(_number: int, _frame: FrameType | None) -> None:
    if pending() and not _on_its_way(sys.exception()):
        raise KeyboardInterrupt


def _on_its_way(error: BaseException | None) -> bool:
    """Is it an interrupt, or what became of one, that is being handled? Then nothing is lost, and clean-up may end."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _kill_at_the_second(heard: int) -> None:
    """Runs in its own thread, for signals that Python does not see yet, e.g. while torch computes for minutes."""
    came = 0
    while came < 2:
        number = os.read(heard, 1)[0]
        came += number in SIGNALS and not (_spared and number == signal.SIGINT)
    os._exit(128 + number)


def _unraisable(what: UnraisableHookArgs) -> None:
    """Python's own hook, but silent about a dropped interrupt, which will be raised again."""
    if not isinstance(what.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(what)
