"""Small publics, and what comes of them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from cli.command import solon
from solon.town.collect import said_by
from solon.town.public import Public, the_public

AGREED = ("no harmful advice", "no rudeness in the answers.", "no bad manners", "no evasiveness")
SPLIT = ("no preaching", "no moralising", "no lecturing", "A short sermon", "no slang")
WRITTEN = ("no hedging", "no pontificating", "Buy your umbrella")
PEOPLE = 10
"""Of each district; each votes on all, by two requests a vote."""


def small_public(people: int = PEOPLE) -> Public:
    """The public that ships with so many people in either district, and some of its statements."""
    whole = the_public()
    picked = (one for one in whole.statement if any(part in one.text for part in AGREED + SPLIT + WRITTEN))
    return whole.model_copy(
        update={
            "district": tuple(one.model_copy(update={"people": people}) for one in whole.district),
            "statement": tuple(
                one if one.author is None else one.model_copy(update={"author": one.author % people}) for one in picked
            ),
        }
    )


def said_here(arguments: Sequence[str], *, answers: str = "") -> str:
    """As `said_by`, in this process, which has imported everything: that is what most commands take longest over. The
    one that asks the organiser has its own process and standard input all the same."""
    if arguments[:2] == ["collect", "merge"]:
        return said_by(arguments, answers=answers)
    done = solon(*arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def children(parent: int) -> list[int]:
    """Processes that it began and that have not ended."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True)
    return [int(number) for number in found.stdout.split()]


def require_gone(processes: Sequence[int]) -> None:
    """Before long."""
    until = time.monotonic() + 30
    while alive := [one for one in processes if Path(f"/proc/{one}").exists()]:
        assert time.monotonic() < until, f"still there: {alive}"
        time.sleep(0.2)
