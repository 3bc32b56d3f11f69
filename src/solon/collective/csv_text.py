"""The text of CSV files: encodings, separators, guards against formulas, and faults with their lines.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and strangers write statements. Such
text gets an apostrophe, which spreadsheets do not calculate, and loses it when a file of ours is read:
`=HYPERLINK(...)` is written as `'=HYPERLINK(...)`, and `'=x` as `''=x`, so that what is read is what was written.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path

from solon.collective.phrases import first_of
from solon.errors import Fault, InputError, Where

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What a cell must not begin with if it is text (OWASP, "CSV Injection"); full-width forms count in some languages."""
MAX_FAULTS = 20
"""Faults reported for one file; the others are counted."""
FEW = 5
"""Rows with one cause that are named one by one."""
MAX_CELL = 1_000_000
"""Characters in one cell. Longer ones are the sign of a quote that was never closed."""

_GUARDED = re.compile(f"'*[{re.escape(FORMULA_STARTS)}]")
_SEPARATOR = re.compile(r'(?:"[^"]*"|[^",;\t\r\n])*([,;\t])')
_WHOLE = re.compile(r" *(-?[0-9]{1,18})(?:\.0*)? *")


def read_text(path: Path) -> str:
    """The text of a file that must be UTF-8 without NUL bytes; `InputError` with the line if it is not."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError("no such file", where=Where(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=Where(path)) from error
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise InputError("the file is UTF-16", where=Where(path), hint="save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (at := data.find(b"\0")) >= 0:
        hint = "the file is damaged, or in UTF-16; get it again and save it as UTF-8"
        raise InputError("a NUL byte", where=Where(path, data.count(b"\n", 0, at) + 1), hint=hint)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"not UTF-8: byte 0x{data[error.start]:02x}"
        raise InputError(what, where=Where(path, line), hint="save the file as UTF-8") from None


def separator_of(text: str) -> str:
    """The comma, semicolon or tab that comes first in the header."""
    found = _SEPARATOR.match(text)
    return found.group(1) if found else ","


def read_records(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the lines they begin in, the header too; blank lines are none."""
    previous = csv.field_size_limit(MAX_CELL)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for record in reader:
            if record and record != [""]:
                yield line, record
            line = reader.line_num + 1
    except csv.Error as error:
        hint = "a quote is opened and not closed, or stands inside quotes; double it or export again"
        raise InputError(f"broken CSV: {error}", where=Where(path, line), hint=hint) from None
    finally:
        csv.field_size_limit(previous)


class Faults:
    """What is wrong with the rows of one file. A cause that more than a few rows share is said once.

    vote is not 1, 0 or -1: '7'                                  a fault of one row, with its line
    vote is not 1, 0 or -1 in all 57 items: '7', '8', '9'        one of many, with the line of the first
    """

    def __init__(self, path: Path, unit: str = "row"):
        self.path, self.unit = path, unit
        self.found: dict[tuple[str, str], list[tuple[Where, str | None]]] = {}

    def add(
        self, line: int, cause: str, cell: str | None = None, *, hint: str = "export the file again", item: int = 0
    ) -> None:
        """cell: what stands there, in which faults of one cause differ; item: of a list, counted from 0."""
        where = Where(self.path, line, item if self.unit == "item" else None)
        self.found.setdefault((cause, hint), []).append((where, cell))

    def raise_any(self, total: int) -> None:
        """Raises `InputError` if there are any, at most `MAX_FAULTS` of them. total: rows of the file."""
        raise_faults([fault for key, at in self.found.items() for fault in self._told(*key, at, total)], self.path)

    def _told(self, cause: str, hint: str, at: Sequence[tuple[Where, str | None]], total: int) -> Iterator[Fault]:
        if len(at) <= FEW and len(at) < max(2, total):
            for where, cell in at:
                yield Fault(cause if cell is None else f"{cause}: {shown(cell)}", where, hint)
            return
        many = f"all {total:,}" if len(at) == total else f"{len(at):,} of {total:,}"
        cells = list(dict.fromkeys(shown(cell) for _, cell in at if cell is not None))
        told = (": " if cells else "") + first_of(cells, 3)
        yield Fault(f"{cause} in {many} {self.unit}s{told}{'' if len(at) == total else _places(at)}", at[0][0], hint)


def _places(at: Sequence[tuple[Where, object]]) -> str:
    name = "lines" if at[0][0].item is None else "items"
    numbers = [where.line if where.item is None else where.item for where, _ in at]
    return f"; {name} {first_of(numbers, MAX_FAULTS)}"


def raise_faults(faults: Sequence[Fault], path: Path) -> None:
    """Raises `InputError` with the first `MAX_FAULTS` and the number of the others; returns if there are none."""
    if (more := len(faults) - MAX_FAULTS) > 0:
        faults = [*faults[:MAX_FAULTS], Fault(f"and {more:,} more faults", Where(path))]
    if faults:
        raise InputError(list(faults))


def as_integer(cell: str) -> int | None:
    """A cell as a whole number; None if it is none. Only ASCII digits, surrounding spaces allowed.

    Programs that take a column with gaps for decimal numbers write `3.0` for 3.

    >>> as_integer("-1"), as_integer(" 42"), as_integer("3.0"), as_integer("3.5"), as_integer("1e3"), as_integer("")
    (-1, 42, 3, None, None, None)
    """
    found = _WHOLE.fullmatch(cell)
    return int(found.group(1)) if found else None


def guard(text: str) -> str:
    """Text that a spreadsheet will not calculate.

    >>> guard("=1+1"), guard("1+1"), guard("'=1+1")
    ("'=1+1", '1+1', "''=1+1")
    """
    return f"'{text}" if _GUARDED.match(text) else text


def unguard(text: str) -> str:
    """What `guard` was given."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def shown(text: str, limit: int = 60) -> str:
    """Text of unknown origin for a message: quoted, on one line, cut at `limit` characters."""
    return repr(text if len(text) <= limit else f"{text[: limit - 3]}...")
