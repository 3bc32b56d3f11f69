"""What the cells of a column are: ids, votes, counts, truths, times. Each kind turns cells into numbers, many at once.

A kind is given cells and answers with their numbers, `UNKNOWN` where a cell is empty, and what is wrong with those that
are no such thing: (position, cause).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Ints
from solon.collective.csv_text import as_integer
from solon.collective.reading.exported import MAX_ID, MAX_TIME, MIN_TIME

UNKNOWN = -(2**62)
"""An empty cell."""
Wrong = list[tuple[int, str]]
Kind = Callable[[Sequence[str]], tuple[Any, Wrong]]
NONE = 2
"""No vote in a cell of the matrix, where votes are 1, 0 and -1."""
_SECONDS_BELOW = 100_000_000_000
"""A time below this is in seconds: in milliseconds it would lie before 1974."""


def whole(cells: Sequence[str]) -> tuple[Ints, Wrong]:
    if set("".join(cells)) <= set("0123456789-"):
        try:
            return np.array(list(map(int, cells)), dtype=np.int64), []
        except (ValueError, OverflowError):
            pass
    found = [as_integer(cell) if cell.strip() else UNKNOWN for cell in cells]
    wrong = [(at, "is not a whole number") for at, number in enumerate(found) if number is None]
    return np.array([UNKNOWN if number is None else number for number in found], dtype=np.int64), wrong


def within(least: int, most: int, cause: str) -> Kind:
    """Whole numbers from `least` to `most`; others are wrong by `cause`."""

    def kind(cells: Sequence[str]) -> tuple[Ints, Wrong]:
        found, wrong = whole(cells)
        outside = np.flatnonzero(((found < least) | (found > most)) & (found != UNKNOWN))
        return found, [*wrong, *((at, cause) for at in outside.tolist())]

    return kind


def spelled(values: NDArray[Any], spellings: Sequence[Sequence[str]], cause: str) -> Kind:
    """Cells that are one of a few words, in any case: the spellings of each value. Others are wrong by `cause`."""
    codes = {word: code for code, words in enumerate(spellings) for word in words}

    def kind(cells: Sequence[str]) -> tuple[NDArray[Any], Wrong]:
        try:
            return values[np.frombuffer(bytes(map(codes.__getitem__, cells)), dtype=np.uint8)], []
        except KeyError:
            plain = [cell.strip().lower() for cell in cells]
            wrong = [(at, cause) for at, cell in enumerate(plain) if cell not in codes]
            return values[[codes.get(cell, 0) for cell in plain]], wrong

    return kind


def texts(cells: Sequence[str]) -> tuple[NDArray[np.object_], Wrong]:
    return np.array(cells, dtype=object), []


def words(cells: Sequence[str]) -> tuple[NDArray[np.bytes_], Wrong]:
    """The first 40 ASCII characters, for comparing a million cells at once."""
    try:
        return np.array(cells, dtype="S40"), []
    except UnicodeEncodeError:
        return np.array([cell.encode("ascii", "replace") for cell in cells], dtype="S40"), []


def moments(cells: Sequence[str]) -> tuple[NDArray[Any], Wrong]:
    """Times in the file's own unit: whole numbers, decimal ones, or dates as ISO 8601 has them (in milliseconds)."""
    found, wrong = whole(cells)
    if not wrong:
        return found, []
    exact = found.astype(np.float64)
    still = []
    for at, _ in wrong:
        moment = _moment(cells[at].strip())
        if moment is None:
            still.append((at, "is no time: neither a number nor a date like 2025-03-01T09:10:00Z"))
        else:
            exact[at] = moment
    return exact, still


def _moment(cell: str) -> float | None:
    try:
        if cell.isascii() and cell.replace(".", "", 1).isdigit():
            return float(cell)
        at = datetime.fromisoformat(cell)
    except ValueError:
        return None
    # The server keeps times in UTC.
    return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)


def milliseconds(found: NDArray[Any]) -> tuple[Ints, bool, Wrong]:
    """Times as whole milliseconds, and whether the file, in all its rows, has them in seconds, as servers do."""
    known = found != UNKNOWN
    in_seconds = bool(known.any()) and float(np.median(found[known])) < _SECONDS_BELOW
    # Before the multiplication, so that a huge one cannot wrap round.
    factor = 1000 if in_seconds else 1
    bad = np.flatnonzero(known & ((found < MIN_TIME // factor) | (found > MAX_TIME // factor))).tolist()
    cause = f"is no time between 2000 and 2100 in {'seconds' if in_seconds else 'milliseconds'}"
    time = np.full(len(found), UNKNOWN, dtype=np.int64)
    known[bad] = False
    time[known] = np.floor(found[known] * factor)
    return time, in_seconds, [(at, cause) for at in bad]


ids = within(0, MAX_ID, f"is no id: ids run from 0 to {MAX_ID:,}")
votes = within(-1, 1, "is not 1, 0 or -1")
truths = spelled(
    np.array([UNKNOWN, 1, 0]),
    [("",), ("true", "t", "1", "1.0"), ("false", "f", "0", "0.0")],
    "is neither true nor false",
)
matrix_votes = spelled(
    np.array([NONE, 1, 0, -1], dtype=np.int8),
    [("",), ("1", "1.0"), ("0", "0.0"), ("-1", "-1.0")],
    "is not 1, 0, -1 or empty",
)
