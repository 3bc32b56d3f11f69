"""`comments.csv` of server exports that write statements without quotes.

A statement with a comma then looks like several cells and one with a line break like several rows. Every other cell
is a number or a truth, so a row can be told from the rest of a statement.

    timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body
    1700000000,4,2,3,1,1,More trees, please      statement 4: `More trees, please`
    and benches                                  goes on: `More trees, please\\nand benches`
"""

from __future__ import annotations

import re
from pathlib import Path

from solon.collective.phrases import many
from solon.collective.reading.findings import Findings
from solon.collective.tables import Table, read_csv, read_ragged, read_text, shown
from solon.errors import InputError, Where

BODY = "comment-body"
_PLAIN_CELL = re.compile(r"\s*(?:-?[0-9]*(?:\.[0-9]*)?(?:[eE]-?[0-9]+)?|true|false)\s*", re.IGNORECASE)
_OPENED = re.compile('(?:^|,)"')
PLAIN_COLUMNS = frozenset(
    (
        "timestamp",
        "comment-id",
        "author-id",
        "agrees",
        "disagrees",
        "passes",
        "moderated",
        "is-meta",
        "is-seed",
        "importance",
        "group-informed-consensus",
    )
)
"""Columns of numbers and truths."""


def read_comments_table(path: Path, findings: Findings, *, ours: bool, may_be_unquoted: bool) -> Table:
    """The table, each row as long as the header. Bodies without quotes are put together where that may be needed."""
    if not may_be_unquoted:
        return read_csv(path, ours=ours)
    try:
        table, ragged = read_ragged(path, ours=ours)
    except InputError:
        text = read_text(path)
        if '"' not in text or _is_quoted(text):
            raise
    else:
        if not ragged and all(_is_row(table.header, cells) for cells in table.cells):
            return table
        if _is_quoted(read_text(path)):
            return read_csv(path, ours=ours)
    return _put_together(path, findings)


def _is_quoted(text: str) -> bool:
    """Cells with commas have quotes about them, so that what is broken is no lack of quotes.

    Without quotes too, a line with more commas than the header may hold a quotation; most of them do not.
    """
    header, *lines = text.split("\n")
    crowded = [line for line in lines if line.count(",") > header.count(",")]
    return 2 * sum(bool(_OPENED.search(line)) for line in crowded) > len(crowded)


def _put_together(path: Path, findings: Findings) -> Table:
    header, *lines = re.split("\r\n|\r|\n", read_text(path))
    names = tuple(name.strip() for name in header.split(","))
    if BODY not in names:
        raise InputError(f"no column {BODY}", where=Where(path, 1), hint="restore the header")
    cells: list[list[str]] = []
    begins: list[int] = []
    for number, line in enumerate(lines, start=2):
        record = _split(names, line)
        if record is not None:
            cells.append(record)
            begins.append(number)
        elif cells:
            cells[-1][names.index(BODY)] += f"\n{line}"
        elif line.strip():
            what = f"not a row of the columns {', '.join(names[:12])}: {shown(line)}"
            raise InputError(what, where=Where(path, number), hint="export the file again")
    for record in cells:
        at = names.index(BODY)
        record[at] = record[at].strip()
    joined = sum("," in record[names.index(BODY)] or "\n" in record[names.index(BODY)] for record in cells)
    findings.repair(
        path,
        f"statements without quotes, {joined} of {many(len(cells), 'statement')} with commas or line breaks",
        "put together by the cells around them",
    )
    return Table(path=path, header=names, cells=cells, lines=begins)


def _split(names: tuple[str, ...], line: str) -> list[str] | None:
    """The cells of a row, the body in one piece; None if the line does not begin a row."""
    pieces = line.split(",")
    before = names.index(BODY)
    after = len(names) - before - 1
    if len(pieces) < len(names):
        return None
    cut = len(pieces) - after
    record = [*pieces[:before], ",".join(pieces[before:cut]), *pieces[cut:]]
    return record if _is_row(names, record) else None


def _is_row(names: tuple[str, ...], record: list[str]) -> bool:
    """What is to be a number or a truth is one, and the id is there."""
    return all(
        name not in PLAIN_COLUMNS or (_PLAIN_CELL.fullmatch(cell) and (cell.strip() or name != "comment-id"))
        for name, cell in zip(names, record, strict=True)
    )
