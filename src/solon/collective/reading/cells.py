"""Cells as numbers and truths, column by column, with every unreadable one named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import Ints
from solon.collective.reading.exported import MAX_ID, MAX_TIME, MIN_TIME
from solon.collective.tables import MAX_FAULTS, as_integer, shown
from solon.errors import Fault, InputError, Where

_PLAIN = re.compile(r"(?:-?[0-9]{1,18},)*")
_TRUTHS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
_SECONDS_BELOW = 100_000_000_000
"""A time below this is in seconds: in milliseconds it would lie before 1974."""


def integers(path: Path, name: str, column: Sequence[str], lines: Sequence[int]) -> Ints:
    """A column of whole numbers.

    Raises:
        InputError: naming every cell (at most `MAX_FAULTS`) that is none.
    """
    joined = ",".join(column) + "," if column else ""
    # A cell that holds a comma would count as two.
    if _PLAIN.fullmatch(joined) and joined.count(",") == len(column):
        # `sep` is given, so this parses text; cells are known to be digits.
        return np.fromstring(joined, dtype=np.int64, sep=",")
    found = [as_integer(cell) for cell in column]
    bad = [at for at, number in enumerate(found) if number is None]
    refuse(path, [(lines[at], f"{name} is not a whole number: {shown(column[at])}") for at in bad])
    return np.array(found, dtype=np.int64)


def ids(path: Path, name: str, column: Sequence[str], lines: Sequence[int]) -> Ints:
    """A column of ids: 0 to 2,147,483,647."""
    found = integers(path, name, column, lines)
    bad = np.flatnonzero((found < 0) | (found > MAX_ID)).tolist()
    refuse(path, [(lines[at], f"{name} {found[at]} is no id: ids run from 0 to {MAX_ID:,}") for at in bad])
    return found


def times(path: Path, found: Ints, lines: Sequence[int]) -> tuple[Ints, bool]:
    """Timestamps in milliseconds, and whether the file has them in seconds.

    All rows of a file have one unit: seconds in server exports, milliseconds in Clojure exports.
    """
    in_seconds = bool(len(found)) and float(np.median(found)) < _SECONDS_BELOW
    # Before the multiplication, so that a huge one cannot wrap round.
    factor = 1000 if in_seconds else 1
    bad = np.flatnonzero((found < MIN_TIME // factor) | (found > MAX_TIME // factor)).tolist()
    unit = "seconds" if in_seconds else "milliseconds"
    refuse(path, [(lines[at], f"timestamp {found[at]} is no time between 2000 and 2100 in {unit}") for at in bad])
    return found * factor, in_seconds


def truth(path: Path, name: str, cell: str, line: int) -> bool:
    """`true` or `false`, in any case; `t`, `f`, `1`, `0` too."""
    found = _TRUTHS.get(cell.strip().lower())
    if found is None:
        refuse(path, [(line, f"{name} is neither true nor false: {shown(cell)}")])
    return bool(found)


def refuse(path: Path, bad: Sequence[tuple[int, str]], hint: str = "export the file again, or mend the line") -> None:
    """Raises `InputError` with a fault for each (line, what); returns if there are none."""
    if not bad:
        return
    faults = [Fault(what, Where(path, line), hint) for line, what in bad[:MAX_FAULTS]]
    if more := len(bad) - len(faults):
        faults.append(Fault(f"and {more:,} more cells like that", Where(path)))
    raise InputError(faults)
