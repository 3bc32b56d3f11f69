"""CSV files, written so that a spreadsheet shows them and never runs them, and read so that every fault has a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from numbers import Integral, Real
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from solon.artifacts.atomic import write_atomic
from solon.collective.csv_text import Faults, as_integer, guard, read_records, read_text, separator_of, shown, unguard
from solon.collective.phrases import first_of
from solon.errors import InputError, Where
from solon.records import Record

Cell = str | int | float | bool | None
"""Text, a number, or nothing, as NaN is. NumPy's numbers are numbers too. Truth is written as `true` and `false`."""
ColumnsToWrite = dict[str, Sequence[object] | NDArray[Any] | None]

BLOCK = 1_000_000
"""Characters split into cells at a time, where a file is read in blocks."""
BY_NAME = "columns are found by name, in any order, between commas, semicolons or tabs; restore the header"
RAGGED = "close quotes, quote what has commas in it, or export the file again if it is cut off"

_NEEDS_QUOTES = re.compile(r'[",;\r\n\t]|^\s|\s$')
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Row(dict[str, str]):
    """The cells of one record by column name, all as text; `where` it begins."""

    def __init__(self, where: Where, cells: Iterable[tuple[str, str]]) -> None:
        super().__init__(cells)
        self.where = where

    def fail(self, what: str, hint: str | None = None) -> NoReturn:
        """Raises `InputError` that names this row."""
        raise InputError(what, where=self.where, hint=hint)

    def integer(self, column: str) -> int:
        """The cell as a whole number; `InputError` with the line if it is none."""
        found = as_integer(self[column])
        if found is None:
            self.fail(f"{column} is not a whole number: {shown(self[column])}", "write digits only")
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
            yield Row(Where(self.path, line), zip(self.header, cells, strict=True))

    def column(self, name: str) -> list[str]:
        """One column, row by row."""
        at = self.header.index(name)
        return [cells[at] for cells in self.cells]

    def require(self, *names: str) -> None:
        """`InputError` that names every column the file lacks."""
        if missing := [name for name in names if name not in self.header]:
            raise lacking(self.path, missing, self.header)


def lacking(path: Path, missing: Sequence[str], header: Sequence[str]) -> InputError:
    """That a file has no such columns, and which it has."""
    what = f"no column {' and no column '.join(missing)} (columns: {first_names(header)})"
    return InputError(what, where=Where(path, 1), hint=BY_NAME)


def first_names(names: Sequence[str], most: int = 12) -> str:
    """Some names of a foreign file, for a message."""
    return first_of([shown(name, 30) for name in names], most)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table, whole or not at all: UTF-8, `\\n` line ends, text that looks like a formula guarded."""
    write_file(path, csv_bytes(header, rows))


def write_records(path: Path, kind: type[Record], rows: Iterable[Record]) -> None:
    """As `write_csv`, a row per record and a column per field."""
    header = [field.serialization_alias or name for name, field in kind.model_fields.items()]
    write_csv(path, header, (tuple(row.model_dump().values()) for row in rows))


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """What `write_csv` writes."""
    lines = [header, *rows]
    assert {*map(len, lines)} == {len(header)}, f"rows of other lengths than {len(header)}"
    return "".join(",".join(map(_written, line)) + "\n" for line in lines).encode("utf-8")


def csv_of_columns(columns: ColumnsToWrite) -> bytes:
    """A table given by its columns, as `csv_bytes` writes it. Those that are None are left out."""
    there = {name: column for name, column in columns.items() if column is not None}
    cells = (one.tolist() if isinstance(one, np.ndarray) else one for one in there.values())
    return csv_bytes(list(there), zip(*cells, strict=True))


def write_file(path: Path, data: bytes) -> None:
    """As `write_atomic`; a missing folder is made, and a place that cannot be written is the user's fault."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise InputError(what, where=Where(path), hint="name another place with -o") from error


def read_csv(path: Path) -> Table:
    """A CSV file: UTF-8, with or without a byte order mark, quotes closed, every row as long as the header.

    Cells are separated by commas, semicolons or tabs, whichever comes first in the header. Blank lines are no rows, and
    empty cells beyond the last name, as spreadsheets leave them, are no cells. Apostrophes that `write_csv` put before
    text are taken off, and spaces around names in the header. Raises InputError with the line, for a file that is
    missing, in another encoding, or broken. All rows of a wrong length are named together.
    """
    file = open_csv(path, ours=True)
    lines, cells = file.even(list(file.rows()))
    return Table(path=path, header=file.header, cells=cells, lines=lines)


@dataclass(frozen=True, kw_only=True)
class OpenCsv:
    """The text of a CSV file and the names in its header."""

    path: Path
    text: str
    separator: str
    header: tuple[str, ...]
    trailing: int
    """Empty cells that rows may have after the last column."""
    ours: bool
    quoted: bool
    """Lines may not be rows."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Every row, of whatever length, with the line it begins in."""
        width, records = len(self.header), read_records(self.path, self.text, self.separator)
        next(records)
        for line, record in records:
            if width < len(record) <= width + self.trailing and not any(record[width:]):
                del record[width:]
            yield line, [unguard(cell) for cell in record] if self.ours else record

    def blocks(self) -> Iterator[tuple[Sequence[int], Sequence[Sequence[str]]]]:
        """A part of the file at a time: the lines in which its rows begin, and its columns."""
        if self.quoted or self.trailing or (self.ours and "'" in self.text):
            rows, size = self.rows(), max(1, BLOCK // 10 // len(self.header))
            while block := list(islice(rows, size)):
                lines, cells = self.even(block)
                yield lines, list(zip(*cells, strict=True))
            return
        # Without quotes every line is a row, and splitting is several times as fast as `csv`.
        width, line, start = len(self.header), 2, self.text.find("\n") + 1
        while 0 < start < len(self.text):
            end = self.text.find("\n", start + BLOCK)
            end = len(self.text) if end < 0 else end
            records = self.text[start:end].removesuffix("\n").split("\n")
            if set(map(str.count, records, repeat(self.separator))) == {width - 1} and "" not in records:
                flat = self.separator.join(records).split(self.separator)
                yield range(line, line + len(records)), [flat[at::width] for at in range(width)]
            elif odd := [(line + at, one.split(self.separator)) for at, one in enumerate(records) if one]:
                lines, cells = self.even(odd)
                yield lines, list(zip(*cells, strict=True))
            start, line = end + 1, line + len(records)

    def even(self, rows: Sequence[tuple[int, list[str]]]) -> tuple[list[int], list[list[str]]]:
        """Lines and cells; `InputError` that names the rows of another length than the header's."""
        faults = Faults(self.path)
        for line, record in rows:
            if len(record) != len(self.header):
                faults.add(line, f"{len(record)} cells under {len(self.header)} columns", hint=RAGGED)
        faults.raise_any(len(rows))
        return [line for line, _ in rows], [record for _, record in rows]


def open_csv(path: Path, *, ours: bool = False) -> OpenCsv:
    """A CSV file with its header read; `InputError` if it is empty, or names a column twice."""
    text = read_text(path)
    quoted = '"' in text
    text = text if quoted else text.replace("\r\n", "\n")
    separator = separator_of(text)
    records = read_records(path, text, separator)
    line, header = next(records, (0, []))
    if not header:
        raise InputError("the file is empty", where=Where(path), hint="export it again")
    names = tuple((unguard(name) if ours else name).strip() for name in header)
    first = next(records, (0, []))[1]
    width = len(names)
    while width > 1 and not names[width - 1] and not any(first[width - 1 :]):
        width -= 1
    refuse_repeated(path, names[:width], line)
    trailing = 0 if any(first[width:]) else max(len(names), len(first)) - width
    return OpenCsv(
        path=path,
        text=text,
        separator=separator,
        header=names[:width],
        trailing=trailing,
        ours=ours,
        quoted=quoted or "\r" in text or line > 1,
    )


def refuse_repeated(path: Path, names: Sequence[str], line: int = 1) -> None:
    """Raises `InputError` for columns of one name."""
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        what = f"columns with the same name: {first_names(repeated, 5)}"
        raise InputError(what, where=Where(path, line), hint="keep one of each")


def _written(value: object) -> str:
    if type(value) is int:
        return str(value)
    if value is None:
        return ""
    if isinstance(value, str):
        text = guard(_LONE_SURROGATE.sub("\ufffd", value).replace("\0", "\ufffd"))
        return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
    # NumPy's truth values are no `bool`.
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value)) if value == value else ""
    raise TypeError(f"not a cell: {type(value).__name__}")
