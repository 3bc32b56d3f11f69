"""Rows of an export: each id once, counts that can be, and a word about blanks and columns that are not known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solon.collective.phrases import listed, many
from solon.collective.reading.cells import ids, refuse
from solon.collective.reading.exported import MAX_COUNT
from solon.collective.reading.findings import Findings
from solon.collective.tables import Table, as_integer, shown


def once(table: Table, key: str, findings: Findings) -> Table:
    """Rows of the same id once; `InputError` where they differ."""
    numbers = ids(table.path, key, table.column(key), table.lines)
    first: dict[int, int] = {}
    faults, repeated = [], []
    for at, number in enumerate(numbers.tolist()):
        before = first.setdefault(number, at)
        if before == at:
            continue
        if table.cells[before] != table.cells[at]:
            faults.append(
                (table.lines[at], f"{key} {number} again, with other cells than in line {table.lines[before]}")
            )
        repeated.append(number)
    refuse(table.path, faults, "keep the right one of the two")
    if repeated:
        what = f"{many(len(repeated), 'row')} twice over: {key} {listed(repeated)}"
        findings.repair(table.path, what, "each counted once")
    kept = sorted(first.values())
    return Table(
        path=table.path,
        header=table.header,
        cells=[table.cells[at] for at in kept],
        lines=[table.lines[at] for at in kept],
    )


def counts_of(table: Table, name: str, key: str, findings: Findings) -> list[int | None]:
    """A column of numbers of votes or statements; None where a cell is empty, and, with a finding, where it cannot be
    such a number. key: the column of ids, by which the finding names the rows."""
    if name not in table.header:
        return [None] * len(table)
    cells = table.column(name)
    counts = [found if found is not None and 0 <= found <= MAX_COUNT else None for found in map(as_integer, cells)]
    bad = [at for at, count in enumerate(counts) if count is None and cells[at].strip()]
    if bad:
        wrong = ", ".join(sorted({shown(cells[at], 30) for at in bad})[:5])
        what = f"{name} is an impossible count in {many(len(bad), 'row')} ({wrong}): {_named(table, key, bad)}"
        findings.warning(table.path, what, "ignored; counts are made from the votes")
    return counts


def say_blanks(table: Table, findings: Findings, names: Sequence[str], key: str) -> None:
    """Empty cells mean that a thing is not known; where only some are empty, something may have been lost."""
    for name in names:
        if name not in table.header:
            continue
        blank = [at for at, cell in enumerate(table.column(name)) if not cell.strip()]
        if blank and len(blank) == len(table):
            findings.note(table.path, f"column {name} is empty throughout")
        elif blank:
            what = f"{name} is empty in {many(len(blank), 'row')}: {_named(table, key, blank)}"
            findings.warning(table.path, what, "taken as not known")


def _named(table: Table, key: str, rows: Sequence[int]) -> str:
    """Rows by their ids, for lines change when rows are sorted."""
    column = table.column(key)
    return f"{key} {listed([number for at in rows if (number := as_integer(column[at])) is not None])}"


def say_unknown(path: Path, names: set[str], findings: Findings) -> None:
    if names:
        quoted = ", ".join(shown(name, 30) for name in sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
        findings.warning(path, f"{many(len(names), 'unknown column')}: {quoted}", "ignored")
