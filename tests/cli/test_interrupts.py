"""A signal ends the program, also where Python drops the exception that it raises."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("interrupted_program.py")
SOON = 10.0
"""Seconds, on a crowded machine; the cases would go on for 20."""


def started(case: str, *, ignored: bool = False) -> subprocess.Popen[str]:
    """The program, hearing SIGINT or not, whatever these tests were started to do."""
    action = signal.SIG_IGN if ignored else signal.SIG_DFL
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), case],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, action),
    )


def at_work(case: str, *, ignored: bool = False) -> subprocess.Popen[str]:
    """The program, once it has said that it is working."""
    process = started(case, ignored=ignored)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    return process


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said on standard error."""
    begun = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begun < SOON
    return process.returncode, errors


@pytest.mark.parametrize(
    "case",
    [
        "in_an_import",
        "in_a_finalizer",
        "in_a_callback_from_c",
        "where_everything_is_caught",
        "where_it_becomes_a_bug",
    ],
)
def test_an_interrupt_that_is_dropped_or_changed_ends_the_program(case: str) -> None:
    assert ended(started(case)) == (130, "\ninterrupted\n")


def test_a_fault_that_an_interrupt_became_is_not_told() -> None:
    """Half-read through C, a checkpoint once seemed damaged, and the user was told to delete it."""
    hint = "Finished work is kept. To continue: solon resume ."
    assert ended(started("where_it_becomes_a_fault_of_the_user")) == (130, f"\ninterrupted\n{hint}\n")


def test_clean_up_is_left_to_end() -> None:
    process = started("with_a_long_clean_up")
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (130, "tidied up\n", "\ninterrupted\n")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_exit_code_names_the_signal(number: signal.Signals, code: int) -> None:
    process = at_work("at_work")
    process.send_signal(number)
    assert ended(process) == (code, "\ninterrupted\n")


@pytest.mark.parametrize("case", ["at_work_in_c", "at_an_endless_clean_up"])
def test_a_second_signal_ends_it_at_once(case: str) -> None:
    process = at_work(case)
    time.sleep(0.3)  # until it is in C
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    if process.poll() is None:  # an endless clean-up has had its first from itself
        process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")


def test_a_signal_that_the_shell_ignores_is_ignored() -> None:
    process = at_work("at_work", ignored=True)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (143, "\ninterrupted\n")
