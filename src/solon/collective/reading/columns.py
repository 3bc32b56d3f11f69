"""Files as columns of numbers, be they CSV files or lists of JSON objects. Columns are found by name, never by position."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from solon.collective.conversation import Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import UNKNOWN, ids, milliseconds, moments, texts, votes
from solon.collective.reading.names import COUNT, NOT_READ, Column
from solon.collective.reading.sources import Source, read_source
from solon.collective.tables import BY_NAME, Faults, shown
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
        column = self.values[name]
        return [
            None if cell in (UNKNOWN, "") else cell
            for cell in (column if isinstance(column, list) else column.tolist())
        ]

    def counts(self, name: str) -> Ints:
        """A column of counts, -1 where nothing is known."""
        return np.maximum(self.values.get(name, np.full(len(self), -1)), -1)

    def once(self, key: str, findings: Findings) -> Columns:
        """Rows of the same id once, in the order of ids; `InputError` where they differ."""
        numbers, first = np.unique(self.values[key], return_index=True)
        if len(first) < len(self):
            again = np.setdiff1d(np.arange(len(self)), first)
            before = first[np.searchsorted(numbers, self.values[key][again])]
            faults = Faults(self.path, self.unit)
            for at, earlier in zip(again.tolist(), before.tolist(), strict=True):
                if any(not np.array_equal(column[at], column[earlier]) for column in self.values.values()):
                    what = f"{self.named[key]} {self.values[key][at]} again, with other cells than in line {self.lines[earlier]}"
                    faults.add(int(self.lines[at]), what, hint="keep the right one of the two", item=at)
            faults.raise_any(len(self))
            what = f"{many(len(again), self.unit)} twice over: {self.named[key]} {listed(self.values[key][again].tolist())}"
            findings.repair(self.path, what, "each counted once")
        values = {
            name: [column[at] for at in first.tolist()] if isinstance(column, list) else column[first]
            for name, column in self.values.items()
        }
        return Columns(path=self.path, unit=self.unit, named=self.named, values=values, lines=self.lines[first])


@dataclass(kw_only=True)
class _Reading:
    """One column while its file is read."""

    column: Column
    name: str
    at: int
    parts: list[Any] = field(default_factory=list)
    wrong: list[tuple[int, str, str]] = field(default_factory=list)
    """Row, cause and cell."""
    decimal: str = ""
    """An id or a vote that is written as a decimal number."""

    def take(self, cells: Sequence[str], first: int) -> None:
        found, wrong = self.column.kind(cells)
        if self.column.required and self.column.kind is not texts:
            wrong = (
                [*wrong, *((at, "is empty") for at, cell in enumerate(cells) if not cell.strip())]
                if wrong or (found == UNKNOWN).any()
                else wrong
            )
        self.parts.append(found)
        self.wrong += [(first + at, cause, cells[at]) for at, cause in wrong]
        if not self.decimal and self.column.kind in (ids, votes) and "." in "".join(cells):
            self.decimal = next(cell for cell in cells if "." in cell)

    def whole(self) -> Any:
        """The column, unknown where it is no such thing."""
        if self.column.kind is texts:
            return [cell for part in self.parts for cell in part]
        found = np.concatenate([self.column.kind(())[0], *self.parts])
        if self.wrong and found.dtype == np.int64:
            found[[row for row, _, _ in self.wrong]] = UNKNOWN
        return found


def read_columns(
    source: Path | Source,
    columns: Sequence[Column],
    findings: Findings | None = None,
    *,
    key: str = "",
    more: Callable[[Sequence[str]], Sequence[Column]] = lambda header: (),
) -> Columns:
    """The columns of a file that there are.

    findings: of a foreign file, to say what is missing, empty or unknown. key: the column of ids, by which findings
    name rows. more: further columns, from the header.

    Raises:
        InputError: naming the columns that are missing, or by cause all cells that are not of their column's kind.
    """
    source = read_source(source) if isinstance(source, Path) else source
    columns = [*columns, *more(source.header)]
    header = source.header or tuple(one.name for one in columns)  # an empty list lacks no key
    named = {column: name for column in columns if (name := column.among(header)) is not None}
    lines: list[Ints] = [np.zeros(0, dtype=np.int64)]
    reading = [_Reading(column=one, name=name, at=header.index(name)) for one, name in named.items()]
    if absent := [one for one in columns if one.required and one not in named]:
        raise _lacking(source, absent)
    for block_lines, cells in source.blocks:
        first = sum(map(len, lines))
        for one in reading:
            one.take(cells[one.at], first)
        lines.append(np.asarray(block_lines, dtype=np.int64))
    values = {one.column.name: one.whole() for one in reading}
    in_seconds = False
    for one in reading:
        if one.column.kind is moments:
            times, in_seconds, wrong = milliseconds(values[one.column.name])
            one.wrong += [(row, cause, str(values[one.column.name][row])) for row, cause in wrong]
            values[one.column.name] = times
        if one.column.kind is texts and one.column.required:
            said = [(row, item.get(one.name)) for row, item in enumerate(source.items)]
            one.wrong += [(row, "is no text", str(value)) for row, value in said if not isinstance(value, str | None)]
    found = Columns(
        path=source.path,
        unit=source.unit,
        named={column.name: name for column, name in named.items()},
        values=values,
        lines=np.concatenate(lines),
        in_seconds=in_seconds,
    )
    _refuse(found, reading)
    if findings is not None:
        _say(source, found, columns, reading, findings, key)
    return found


def _lacking(source: Source, absent: Sequence[Column]) -> InputError:
    had = ", ".join(shown(name, 30) for name in source.header[:12]) + (", ..." if len(source.header) > 12 else "")
    if source.unit == "row":
        what = f"no column {' and no column '.join(one.name for one in absent)} (columns: {had})"
        return InputError(what, where=Where(source.path, 1), hint=BY_NAME)
    block_lines, _ = next(iter(source.blocks), ((1,), ()))
    names = " and no ".join(
        " or ".join(name.replace("-", "_") for name in one.names[1:] or one.names) for one in absent
    )
    what = f"no {names} in any of {many(len(block_lines), 'item')}; they have {had}"
    hint = "name these keys as Polis does, or fetch the file again"
    return InputError(what, where=Where(source.path, block_lines[0]), hint=hint)


def _refuse(found: Columns, reading: Sequence[_Reading]) -> None:
    faults = Faults(found.path, found.unit)
    for one in reading:
        for row, cause, cell in one.wrong if one.column.kind is not COUNT else ():
            faults.add(int(found.lines[row]), f"{one.name} {cause}", cell or None, hint=one.column.hint, item=row)
    faults.raise_any(len(found))


def _say(
    source: Source, found: Columns, columns: Sequence[Column], reading: Sequence[_Reading], findings: Findings, key: str
) -> None:
    """Findings about columns that are missing, unknown or empty, and about counts that cannot be."""
    path, unit = found.path, found.unit
    for done in source.done:
        findings.repair(path, done, "read so")
    known = {one.name for one in reading}
    if unknown := sorted(
        name for name in source.header if name not in known and not NOT_READ.fullmatch(name.lower().replace("_", "-"))
    ):
        quoted = ", ".join(shown(name, 30) for name in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        findings.warning(path, f"{many(len(unknown), 'unknown column')}: {quoted}", "ignored")
    for column in columns:
        if column.without and column.name not in found:
            findings.warning(path, f"no column {column.name}", column.without)
    for one in reading:
        if one.decimal:
            what = f"{one.name} is written as a decimal number, as in {shown(one.decimal, 30)}"
            findings.note(path, f"{what}; read as a whole number")
        _say_blanks(found, one, findings, key)
        if one.column.kind is COUNT and one.wrong:
            wrong = ", ".join(sorted({shown(cell, 30) for _, _, cell in one.wrong})[:5])
            what = f"{one.name} is an impossible count in {many(len(one.wrong), unit)} ({wrong}): {_by_id(found, key, [row for row, _, _ in one.wrong])}"
            findings.warning(path, what, "ignored; counts are made from the votes")
    if len(named := sorted(set(filter(None, found.get("conversation-id"))))) > 1:
        quoted = ", ".join(shown(name, 20) for name in named[:5])
        findings.warning(path, f"{unit}s of {len(named)} conversations: {quoted}", "taken as one")


def _say_blanks(found: Columns, one: _Reading, findings: Findings, key: str) -> None:
    """Empty cells mean that a thing is not known; where only some are empty, something may have been lost."""
    if one.column.kind is texts or found[one.column.name].dtype != np.int64:
        return
    wrong = {row for row, _, _ in one.wrong}
    blank = [row for row in np.flatnonzero(found[one.column.name] == UNKNOWN).tolist() if row not in wrong]
    if blank and len(blank) == len(found):
        findings.warning(
            found.path, f"{one.name} is empty in every {found.unit}", one.column.without or "taken as not known"
        )
    elif blank:
        what = f"{one.name} is empty in {many(len(blank), found.unit)}" + (
            f": {_by_id(found, key, blank)}" if key else ""
        )
        findings.warning(found.path, what, "taken as not known")


def _by_id(found: Columns, key: str, rows: Sequence[int]) -> str:
    """Rows by their ids, for lines change when rows are sorted."""
    return f"{found.named[key]} {listed(found[key][list(rows)].tolist())}"
