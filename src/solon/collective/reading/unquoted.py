"""`comments.csv` of server exports that write statements without quotes.

A statement with a comma then looks like several cells and one with a line break like several rows. Every other cell
is a number or a truth, so a row can be told from the rest of a statement.

    timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body
    1700000000,4,2,3,1,1,More trees, please      statement 4: `More trees, please`
    and benches                                  goes on: `More trees, please\\nand benches`
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from solon.collective.csv_text import read_text, shown
from solon.collective.phrases import many
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import texts, words
from solon.collective.reading.names import COMMENTS
from solon.collective.reading.sources import Source
from solon.collective.tables import open_csv
from solon.errors import InputError, Where

BODY, ID = "comment-body", "comment-id"
_PLAIN_CELL = re.compile(r"\s*(?:-?[0-9]*(?:\.[0-9]*)?(?:[eE]-?[0-9]+)?|true|false)\s*", re.IGNORECASE)
_OPENED = re.compile('(?:^|,)"')


def read_unquoted(path: Path, findings: Findings) -> Source | None:
    """The file with its statements put together; None if it needs no such thing."""
    text = read_text(path)
    return None if _is_quoted(text) or _is_ordinary(path, text) else _put_together(path, text, findings)


def _is_ordinary(path: Path, text: str) -> bool:
    """Every row is one, or what is wrong has other reasons than a lack of quotes."""
    try:
        file = open_csv(path)
        rows = [record for _, record in replace(file, trailing=0).rows()]
    except InputError:
        return '"' not in text
    width = len(file.header)
    if file.separator != "," or BODY not in file.header:
        return True
    even = len({len(row) for row in rows}) <= 1 and all(len(row) >= width and not any(row[width:]) for row in rows)
    return even and all(_is_row(file.header, row[:width]) for row in rows)


def _is_quoted(text: str) -> bool:
    """Cells with commas have quotes about them, so that what is broken is no lack of quotes.

    Without quotes too, a line with more commas than the header may hold a quotation; most of them do not.
    """
    header, *lines = text.split("\n")
    crowded = [line for line in lines if line.count(",") > header.count(",")]
    return 2 * sum(bool(_OPENED.search(line)) for line in crowded) > len(crowded)


def _put_together(path: Path, text: str, findings: Findings) -> Source:
    header, *lines = re.split("\r\n|\r|\n", text)
    names = tuple(name.strip() for name in header.split(","))
    if BODY not in names:
        raise InputError(f"no column {BODY}", where=Where(path, 1), hint="restore the header")
    body = names.index(BODY)
    cells: list[list[str]] = []
    begins: list[int] = []
    for number, line in enumerate(lines, start=2):
        if record := _split(names, line):
            cells.append(record)
            begins.append(number)
        elif cells:
            cells[-1][body] += f"\n{line}"
        elif line.strip():
            what = f"not a row of the columns {', '.join(names[:12])}: {shown(line)}"
            raise InputError(what, where=Where(path, number), hint="export the file again")
    columns = [[record[at] for record in cells] for at in range(len(names))]
    columns[body] = [statement.strip() for statement in columns[body]]
    joined = sum("," in statement or "\n" in statement for statement in columns[body])
    what = f"statements without quotes, {joined} of {many(len(cells), 'statement')} with commas or line breaks"
    findings.repair(path, what, "put together by the cells around them")
    return Source(path=path, unit="row", header=names, blocks=[(begins, columns)])


def _split(names: tuple[str, ...], line: str) -> list[str] | None:
    """The cells of a row, the body in one piece; None if the line does not begin a row."""
    pieces = line.split(",")
    before = names.index(BODY)
    cut = len(pieces) - (len(names) - before - 1)
    if len(pieces) < len(names):
        return None
    record = [*pieces[:before], ",".join(pieces[before:cut]), *pieces[cut:]]
    return record if _is_row(names, record) else None


def _is_row(names: tuple[str, ...], record: Sequence[str]) -> bool:
    """What is to be a number or a truth is one, and the id is there."""
    plain = {column.among(names) for column in COMMENTS if column.kind not in (texts, words)}
    return all(
        name not in plain or (_PLAIN_CELL.fullmatch(cell) and (cell.strip() or name != ID))
        for name, cell in zip(names, record, strict=True)
    )
