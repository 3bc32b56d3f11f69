"""Files as columns of numbers, be they CSV files or lists of JSON objects. Columns are found by name alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from solon.collective.conversation import Ints
from solon.collective.csv_text import Faults, shown
from solon.collective.phrases import listed, many
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import UNKNOWN, ids, milliseconds, moments, texts, votes
from solon.collective.reading.names import COUNT, NOT_READ, Column, plain
from solon.collective.reading.sources import Source
from solon.collective.tables import first_names, lacking
from solon.errors import InputError, Where


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a file that are read, by the names that Solon uses."""

    path: Path
    unit: str
    """What a row of it is called."""
    named: dict[str, str]
    """What the file calls each column."""
    values: dict[str, Any]
    """Arrays [rows] of numbers, `UNKNOWN` where a cell is empty; words as they are."""
    lines: Ints
    in_seconds: bool = False
    """Its times were in seconds; here they are in milliseconds."""

    def __len__(self) -> int:
        return len(self.lines)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def get(self, name: str) -> list[Any]:
        """A column as a list, None where nothing is known."""
        if name not in self.values:
            return [None] * len(self)
        return [None if cell in (UNKNOWN, "") else cell for cell in self.values[name].tolist()]

    def rows(self, fields: dict[str, str]) -> Iterator[dict[str, Any]]:
        """What is known in each row. fields: what to call the columns."""
        for cells in zip(*map(self.get, fields), strict=True):
            yield {field: cell for field, cell in zip(fields.values(), cells, strict=True) if cell is not None}

    def known(self, name: str) -> Ints | None:
        """A column in which something is known."""
        column: Ints | None = self.values.get(name)
        return None if column is None or (column == UNKNOWN).all() else column

    def counts(self, names: Sequence[str]) -> dict[str, Ints]:
        """The columns of counts that there are, -1 where nothing is known."""
        return {name: np.maximum(self.values[name], -1) for name in names if name in self}

    def once(self, key: str, findings: Findings) -> Columns:
        """Rows of the same id once, in the order of ids; `InputError` where they differ."""
        ids, first = np.unique(self.values[key], return_index=True)
        if len(first) < len(self):
            again = np.setdiff1d(np.arange(len(self)), first)
            faults = Faults(self.path, self.unit)
            for at, before in zip(again, first[np.searchsorted(ids, self.values[key][again])], strict=True):
                if any(column[at] != column[before] for column in self.values.values()):
                    what = f"{self.named[key]} {self.values[key][at]} again, with other cells than in line"
                    hint = "keep the right one of the two"
                    faults.add(int(self.lines[at]), f"{what} {self.lines[before]}", hint=hint, item=int(at))
            faults.raise_any(len(self))
            told = f"{self.named[key]} {listed(self.values[key][again].tolist())}"
            findings.repair(self.path, f"{many(len(again), self.unit)} twice over: {told}", "each counted once")
        values = {name: column[first] for name, column in self.values.items()}
        return replace(self, values=values, lines=self.lines[first])


@dataclass(kw_only=True)
class _Reading:
    """One column while its file is read."""

    column: Column
    name: str
    at: int
    parts: list[Any] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    decimal: bool = False
    """Ids or votes are written as decimal numbers."""

    def take(self, cells: Sequence[str], first: int) -> None:
        """Some more cells, the first one in row `first`."""
        kind = self.column.kind
        found, wrong = kind(cells)
        if self.column.required and kind is not texts and (found == UNKNOWN).any():
            wrong += [(at, "is empty") for at, cell in enumerate(cells) if not cell.strip()]
        self.parts.append(found)
        self.wrong += [(first + at, cause, cells[at]) for at, cause in wrong]
        self.decimal |= kind in (ids, votes) and "." in "".join(cells)

    def compare(self, name: str, cells: Sequence[str], first: int) -> None:
        """With another column of the same ids, right after `take`."""
        others, _ = self.column.kind(cells)
        for at in np.flatnonzero((others != UNKNOWN) & (others != self.parts[-1])).tolist():
            self.wrong.append((first + at, f"and {name} differ", f"{self.parts[-1][at]} and {cells[at]}"))

    def whole(self, items: Sequence[dict[str, object]]) -> tuple[Any, bool]:
        """The column, unknown where it is no such thing, and whether it is of times in seconds."""
        column, in_seconds = np.concatenate([self.column.kind(())[0], *self.parts]), False
        if self.column.kind is moments:
            times, in_seconds, wrong = milliseconds(column)
            self.wrong += [(row, cause, str(column[row])) for row, cause in wrong]
            return times, in_seconds
        if self.column.kind is texts and self.column.required:
            said = [(row, item.get(self.name)) for row, item in enumerate(items)]
            self.wrong += [(row, "is no text", str(value)) for row, value in said if not isinstance(value, str | None)]
        elif self.wrong and column.dtype == np.int64:
            column = column.copy()
            column[[row for row, _, _ in self.wrong]] = UNKNOWN
        return column, in_seconds


def read_columns(
    source: Source, columns: Sequence[Column], findings: Findings | None = None, *, key: str = ""
) -> Columns:
    """The columns of a file that there are.

    findings: of a foreign file, to say what is missing, empty or unknown. key: the column of ids, by which findings
    name rows. Raises `InputError` naming the columns that are missing, or by cause all cells that are not of their
    column's kind.
    """
    header = source.header or tuple(one.name for one in columns)  # an empty list lacks no key
    named = [(column, name) for column in columns if (name := column.among(header)) is not None]
    if absent := [one for one in columns if one.required and one not in dict(named)]:
        raise _lacking(source, absent)
    reading = [_Reading(column=one, name=name, at=header.index(name)) for one, name in named]
    lines: list[Ints] = [np.zeros(0, dtype=np.int64)]
    twins = [(one, at) for one in reading for at in one.column.twins(header, one.at)]
    for block_lines, cells in source.blocks:
        first = sum(map(len, lines))
        for one in reading:
            one.take(cells[one.at], first)
        for one, at in twins:
            one.compare(header[at], cells[at], first)
        lines.append(np.asarray(block_lines, dtype=np.int64))
    read = {one.column.name: one.whole(source.items) for one in reading}
    found = Columns(
        path=source.path,
        unit=source.unit,
        named={column.name: name for column, name in named},
        values={name: column for name, (column, _) in read.items()},
        lines=np.concatenate(lines),
        in_seconds=any(in_seconds for _, in_seconds in read.values()),
    )
    _refuse(found, reading, foreign=findings is not None)
    if findings is not None:
        _say_columns(source, found, columns, findings)
        for one in reading:
            _say_cells(found, one, findings, key)
    return found


def _lacking(source: Source, absent: Sequence[Column]) -> InputError:
    if source.unit == "row":
        return lacking(source.path, [one.name for one in absent], source.header)
    block_lines, _ = next(iter(source.blocks), ((1,), ()))
    names = [" or ".join(name.replace("-", "_") for name in one.names[1:] or one.names) for one in absent]
    told = f"no {' and no '.join(names)} in any of {many(len(block_lines), 'item')}"
    hint = "name these keys as Polis does, or fetch the file again"
    return InputError(
        f"{told}; they have {first_names(source.header)}", where=Where(source.path, block_lines[0]), hint=hint
    )


def _refuse(found: Columns, reading: Sequence[_Reading], *, foreign: bool) -> None:
    """What is no such thing is refused; of another program's files, counts are only doubted."""
    faults = Faults(found.path, found.unit)
    for one in reading:
        for row, cause, cell in one.wrong if one.column.kind is not COUNT or not foreign else ():
            faults.add(int(found.lines[row]), f"{one.name} {cause}", cell or None, hint=one.column.hint, item=row)
    faults.raise_any(len(found))


def _say_columns(source: Source, found: Columns, columns: Sequence[Column], findings: Findings) -> None:
    for done in source.done:
        findings.repair(found.path, done, "read so")
    compared = {name for one in columns if one.required for name in one.names}
    names = sorted(set(source.header) - set(found.named.values()))
    if unknown := [one for one in names if plain(one) not in compared and not NOT_READ.fullmatch(plain(one))]:
        what = f"{many(len(unknown), 'unknown column')}: {first_names(unknown, 5)}"
        findings.warning(found.path, what, "ignored")
    for column in columns:
        if column.without and column.name not in found:
            findings.warning(found.path, f"no column {column.name}", column.without)
    if len(several := sorted(set(filter(None, found.get("conversation-id"))))) > 1:
        what = f"{found.unit}s of {len(several)} conversations: {first_names(several, 5)}"
        findings.warning(found.path, what, "taken as one")


def _say_cells(found: Columns, one: _Reading, findings: Findings, key: str) -> None:
    """Findings about counts that cannot be, decimal numbers, and empty cells: where some are, something was lost."""
    if one.decimal:
        findings.note(found.path, f"{one.name} is written as decimal numbers, 3.0 for 3; read as whole numbers")
    if one.column.kind is COUNT and one.wrong:
        wrong = ", ".join(sorted({shown(cell, 30) for _, _, cell in one.wrong})[:5])
        what = f"{one.name} is an impossible count in {many(len(one.wrong), found.unit)} ({wrong})"
        where = _by_id(found, key, [row for row, _, _ in one.wrong])
        findings.warning(found.path, f"{what}{where}", "ignored; counts are made from the votes")
    column = found[one.column.name]
    if column.dtype != np.int64:
        return
    blank = sorted(set(np.flatnonzero(column == UNKNOWN).tolist()) - {row for row, _, _ in one.wrong})
    if blank and len(blank) == len(found):
        without = one.column.without or "taken as not known"
        findings.warning(found.path, f"{one.name} is empty in every {found.unit}", without)
    elif blank:
        what = f"{one.name} is empty in {many(len(blank), found.unit)}{_by_id(found, key, blank)}"
        findings.warning(found.path, what, "taken as not known")


def _by_id(found: Columns, key: str, rows: Sequence[int]) -> str:
    """Rows by their ids, for lines change when rows are sorted."""
    return f": {found.named[key]} {listed(found[key][list(rows)].tolist())}" if key else ""
