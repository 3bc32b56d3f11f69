"""`comments.csv` of Clojure and server exports: statements, and what is said of the votes on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from solon.collective.conversation import Statement
from solon.collective.reading.bulk import as_words
from solon.collective.reading.cells import ids, integers, refuse, times, truth
from solon.collective.reading.datetimes import check_datetimes
from solon.collective.reading.exported import ExportedStatement, Layout, check_size
from solon.collective.reading.findings import Findings
from solon.collective.reading.rows import counts_of, once, say_blanks, say_unknown
from solon.collective.reading.unquoted import BODY, PLAIN_COLUMNS, read_comments_table
from solon.collective.tables import Row, Table, as_integer, shown

COMMENT_COLUMNS = PLAIN_COLUMNS | {"datetime", BODY}
ALIASES = {"is_meta": "is-meta", "is_seed": "is-seed"}
"""Other names that columns have, and the ones they are read by."""
MISSING_FROM_COMMENTS = {
    "author-id": "no statement has an author",
    "moderated": "every statement counts as never moderated",
    "timestamp": "statements have no time",
    "agrees": "agrees cannot be checked",
    "disagrees": "disagrees cannot be checked",
    "is-meta": "no statement counts as about the conversation itself",
}


def read_comments(
    path: Path, layout: Layout, findings: Findings, *, ours: bool
) -> tuple[tuple[ExportedStatement, ...], bool]:
    """Statements, each id once, and whether the file has its times in seconds."""
    table = read_comments_table(path, findings, ours=ours, may_be_unquoted=layout is Layout.server_csv)
    table = replace(table, header=tuple(_plain_name(name, table.header) for name in table.header))
    table.require("comment-id", "comment-body")
    say_unknown(path, set(table.header) - COMMENT_COLUMNS - _consensus_columns(table.header), findings)
    for name, consequence in MISSING_FROM_COMMENTS.items():
        if name not in table.header:
            findings.warning(path, f"no column {name}", consequence)
    if "is-meta" in table.header and "is-seed" not in table.header:
        findings.warning(path, "no column is-seed, though its companion is there", "no statement is marked so")
    table = once(table, "comment-id", findings)
    check_size(0, len(table), path)
    blank = ("timestamp", "author-id", "moderated", "is-seed", "is-meta", "agrees", "disagrees")
    say_blanks(table, findings, blank, "comment-id")
    time, in_seconds = _times(table, findings)
    statement_ids = ids(path, "comment-id", table.column("comment-id"), table.lines)
    counts = [counts_of(table, name, "comment-id", findings) for name in ("agrees", "disagrees", "passes")]
    statements = [
        ExportedStatement(
            statement=_statement(row, int(number), created),
            where=row.where,
            agrees=agrees,
            disagrees=disagrees,
            passes=passes,
        )
        for row, number, created, agrees, disagrees, passes in zip(table, statement_ids, time, *counts, strict=True)
    ]
    return tuple(statements), in_seconds


def _times(table: Table, findings: Findings) -> tuple[list[int | None], bool]:
    """When each statement was made, None where the cell is empty, and whether the file has seconds."""
    made: list[int | None] = [None] * len(table)
    if "timestamp" not in table.header:
        return made, False
    cells = table.column("timestamp")
    written = [at for at, cell in enumerate(cells) if cell.strip()]
    lines = [table.lines[at] for at in written]
    found, in_seconds = times(
        table.path, integers(table.path, "timestamp", [cells[at] for at in written], lines), lines
    )
    if "datetime" in table.header:
        words = table.column("datetime")
        said = as_words([words[at] for at in written])
        check_datetimes(table.path, found, said, findings, in_seconds=in_seconds)
    for at, time in zip(written, found.tolist(), strict=True):
        made[at] = time
    return made, in_seconds


def _statement(row: Row, number: int, created: int | None) -> Statement:
    cells = row.cells
    author = moderated = None
    if cells.get("author-id", "").strip():
        author = int(ids(row.path, "author-id", [cells["author-id"]], [row.line])[0])
    if cells.get("moderated", "").strip():
        moderated = as_integer(cells["moderated"])
        if moderated not in (-1, 0, 1):
            what = f"moderated is not 1, 0 or -1: {shown(cells['moderated'])}"
            refuse(row.path, [(row.line, what)], "1: accepted, -1: rejected, 0: never moderated")
    flags = {
        name: truth(row.path, name, cells[name], row.line) if cells.get(name, "").strip() else None
        for name in ("is-seed", "is-meta")
    }
    return Statement(
        id=number,
        text=cells["comment-body"],
        author=author,
        moderated=moderated or 0,
        is_seed=flags["is-seed"],
        is_meta=bool(flags["is-meta"]),
        created=created,
    )


def _plain_name(name: str, header: Sequence[str]) -> str:
    """The name that a column is read by; its own where that is taken."""
    usual = ALIASES.get(name, name)
    return name if usual in header else usual


def _consensus_columns(header: Sequence[str]) -> set[str]:
    """Columns that the cleaned file of the CCAI study adds."""
    return {name for name in header if name.startswith("group_") and name.endswith("_consensus")}
