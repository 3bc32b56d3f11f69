"""Rows of an export: each id once, counts that can be, and a word about blanks and columns that are not known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solon.collective.reading.cells import ids, refuse
from solon.collective.reading.findings import Findings, listed, many
from solon.collective.tables import Row, Table, as_integer, shown


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


def count_of(row: Row, name: str, findings: Findings) -> int | None:
    """A number of votes or statements; None, and a finding, if it cannot be one."""
    if not row.cells.get(name, "").strip():
        return None
    found = as_integer(row.cells[name])
    if found is None or found < 0:
        what = f"{name} is an impossible count: {shown(row.cells[name], 30)}"
        findings.warning(f"{row.path.name}:{row.line}", what, "ignored; counts are made from the votes")
        return None
    return found


def say_blanks(table: Table, findings: Findings, names: Sequence[str]) -> None:
    """Empty cells mean that a thing is not known; where only some are empty, something may have been lost."""
    for name in names:
        if name not in table.header:
            continue
        blank = [line for line, cell in zip(table.lines, table.column(name), strict=True) if not cell.strip()]
        if blank and len(blank) == len(table):
            findings.note(table.path, f"column {name} is empty throughout")
        elif blank:
            what = f"{name} is empty in {many(len(blank), 'row')}: line {listed(blank)}"
            findings.warning(table.path, what, "taken as not known")


def say_unknown(path: Path, names: set[str], findings: Findings) -> None:
    if names:
        quoted = ", ".join(shown(name, 30) for name in sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
        findings.warning(path, f"{many(len(names), 'unknown column')}: {quoted}", "ignored")
