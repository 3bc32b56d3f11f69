"""CSV files, written so that a spreadsheet shows them and never runs them, and read so that every fault has a line.

A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and the statements in a conversation are
written by strangers. Text that begins like that gets a leading apostrophe, which spreadsheets do not calculate, and
which `read_csv` takes off again. Numbers are numbers: pass `-1`, not `"-1"`.

    `=HYPERLINK(...)` is written as `'=HYPERLINK(...)`, and `'=x` as `''=x`, so that what is read is what was written.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import NoReturn

from solon.artifacts.atomic import write_atomic
from solon.errors import Fault, InputError, Where

Cell = str | int | float | bool | None
"""Text, a number, or nothing. NumPy's numbers are numbers too. Truth is written as `true` and `false`."""

FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""What a cell must not begin with if it is text (OWASP, "CSV Injection"); full-width forms count in some languages."""
MAX_FAULTS = 20
"""Faults reported for one file; the others are counted."""
MAX_CELL = 1_000_000
"""Characters in one cell. Longer ones are the sign of a quote that was never closed."""

_GUARDED = re.compile(f"'*[{re.escape(FORMULA_STARTS)}]")
_NEEDS_QUOTES = re.compile(r'[",;\r\n\t]|^\s|\s$')
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One record of a file: its cells by column name, all as text."""

    path: Path
    line: int
    """Where it begins, counted from 1."""
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def where(self) -> Where:
        return Where(self.path, self.line)

    def fail(self, what: str, hint: str | None = None) -> NoReturn:
        """Raises `InputError` that names this row."""
        raise InputError(what, where=self.where, hint=hint)

    def integer(self, column: str) -> int:
        """The cell as a whole number; `InputError` with the line if it is none."""
        found = as_integer(self.cells[column])
        if found is None:
            self.fail(f"{column} is not a whole number: {shown(self.cells[column])}", "write digits only")
        return found


@dataclass(frozen=True, kw_only=True)
class Table:
    """A CSV file in memory: every row as long as the header, whose names differ."""

    path: Path
    header: tuple[str, ...]
    cells: list[list[str]]
    """By row, then column."""
    lines: list[int]
    """Where each row begins in the file, counted from 1."""

    def __len__(self) -> int:
        return len(self.cells)

    def __iter__(self) -> Iterator[Row]:
        for line, cells in zip(self.lines, self.cells, strict=True):
            yield Row(path=self.path, line=line, cells=dict(zip(self.header, cells, strict=True)))

    def column(self, name: str) -> list[str]:
        """One column, row by row."""
        at = self.header.index(name)
        return [cells[at] for cells in self.cells]

    def require(self, *names: str) -> None:
        """`InputError` that names every column the file lacks."""
        missing = [name for name in names if name not in self.header]
        if missing:
            had = ", ".join(shown(name, 30) for name in self.header[:12])
            more = ", ..." if len(self.header) > 12 else ""
            raise InputError(
                f"no column {' and no column '.join(missing)} (columns: {had}{more})",
                where=Where(self.path, 1),
                hint="columns are found by name, in any order; restore the header",
            )


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, whole or not at all: UTF-8, `\\n` line ends, text that looks like a formula guarded.

    The folder is made if there is none.

    Raises:
        InputError: if the file cannot be written where it is to go.
    """
    write_file(path, csv_bytes(header, rows))


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """What `write_csv` writes."""
    lines = [",".join(map(_written, header))]
    for row in rows:
        assert len(row) == len(header), f"{len(row)} cells under {len(header)} columns"
        lines.append(",".join(map(_written, row)))
    lines.append("")
    return "\n".join(lines).encode("utf-8")


def write_file(path: Path, data: bytes) -> None:
    """As `write_atomic`; a missing folder is made, and a place that cannot be written is the user's fault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    except OSError as error:
        raise InputError(
            f"cannot be written: {error.strerror or error}", where=Where(path), hint="name another place with -o"
        ) from error


def read_csv(path: Path, *, ours: bool = True) -> Table:
    """A CSV file: UTF-8, with or without a byte order mark, quotes closed, every row as long as the header.

    `ours`: apostrophes that `write_csv` put before text are taken off; pass False for files from elsewhere. Blank lines
    are no rows. Names in the header lose surrounding spaces.

    Raises:
        InputError: with the line, for a file that is missing, in another encoding, or broken. All rows of a wrong
            length are named together.
    """
    table, ragged = read_ragged(path, ours=ours)
    if ragged:
        width = len(table.header)
        faults = [
            Fault(f"{len(cells)} cells under {width} columns", Where(path, line), "close quotes, or quote the commas")
            for line, cells in ragged[:MAX_FAULTS]
        ]
        if more := len(ragged) - len(faults):
            faults.append(Fault(f"and {more} more rows like that", Where(path)))
        raise InputError(faults)
    return table


def read_ragged(path: Path, *, ours: bool = False) -> tuple[Table, list[tuple[int, list[str]]]]:
    """As `read_csv`, but rows of another length than the header's are handed over apart: (line, cells)."""
    names, records = stream_csv(path, ours=ours)
    cells, lines, ragged = [], [], []
    for line, record in records:
        if len(record) == len(names):
            cells.append(record)
            lines.append(line)
        else:
            ragged.append((line, record))
    return Table(path=path, header=names, cells=cells, lines=lines), ragged


def stream_csv(path: Path, *, ours: bool = False) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """The header, and the rows one by one with the lines they begin in, of whatever length."""
    records = stream_records(path)
    try:
        first, header = next(records)
    except StopIteration:
        raise InputError("the file is empty", where=Where(path), hint="export it again") from None
    names = tuple((unguarded(name) if ours else name).strip() for name in header)
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        quoted = ", ".join(shown(name, 30) for name in repeated[:5])
        raise InputError(f"columns with the same name: {quoted}", where=Where(path, first), hint="keep one of each")
    if ours:
        return names, ((line, [unguarded(cell) for cell in record]) for line, record in records)
    return names, records


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


def stream_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Records with the lines they begin in, the header too; blank lines are none."""
    text = read_text(path)
    previous = csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def raise_faults(faults: Sequence[Fault], path: Path) -> None:
    """Raises `InputError` with the first `MAX_FAULTS` and the number of the others; returns if there are none."""
    if (more := len(faults) - MAX_FAULTS) > 0:
        faults = [*faults[:MAX_FAULTS], Fault(f"and {more} more faults", Where(path))]
    if faults:
        raise InputError(list(faults))


def as_integer(cell: str) -> int | None:
    """A cell as a whole number; None if it is none. Only ASCII digits, surrounding spaces allowed.

    >>> as_integer("-1"), as_integer(" 42"), as_integer("1e3"), as_integer("")
    (-1, 42, None, None)
    """
    cell = cell.strip(" ")
    return int(cell) if re.fullmatch(r"-?[0-9]{1,18}", cell) else None


def guarded(text: str) -> str:
    """Text that a spreadsheet will not calculate.

    >>> guarded("=1+1"), guarded("1+1"), guarded("'=1+1")
    ("'=1+1", '1+1', "''=1+1")
    """
    return f"'{text}" if _GUARDED.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def shown(text: str, limit: int = 60) -> str:
    """Text of unknown origin for a message: quoted, on one line, cut at `limit` characters."""
    return repr(text if len(text) <= limit else f"{text[: limit - 3]}...")


def _written(value: object) -> str:
    if type(value) is int:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, str):
        text = guarded(_LONE_SURROGATE.sub("\ufffd", value).replace("\0", "\ufffd"))
        return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
    # NumPy's truth values are no `bool`.
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    raise TypeError(f"not a cell: {type(value).__name__}")
