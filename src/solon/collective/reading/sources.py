"""The rows of a file as text, whether it is a CSV file or a list of JSON objects.

Some server exports write statements without quotes. One with a comma then looks like several cells and one with a line
break like several rows. Every other cell is a number or a truth, so a row can be told from the rest of a statement.

    timestamp,comment-id,author-id,agrees,disagrees,moderated,comment-body
    1700000000,4,2,3,1,1,More trees, please      statement 4: `More trees, please`
    and benches                                  goes on: `More trees, please\\nand benches`
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solon.collective.csv_text import Faults, read_text, shown
from solon.collective.phrases import many
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import texts, words
from solon.collective.reading.names import COMMENTS
from solon.collective.tables import open_csv
from solon.errors import InputError, Where

AGAIN = "fetch the file again"
BODY, ID = "comment-body", "comment-id"
_PLAIN_CELL = re.compile(r"\s*(?:-?[0-9]*(?:\.[0-9]*)?(?:[eE]-?[0-9]+)?|true|false)\s*", re.IGNORECASE)
_OPENED = re.compile('(?:^|,)"')
_ITEM = re.compile(r"[^\s,]")
_SEPARATORS = {";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file in parts."""

    path: Path
    unit: str
    """What one of its rows is called."""
    header: tuple[str, ...]
    blocks: Iterable[tuple[Sequence[int], Sequence[Sequence[str]]]]
    """The lines in which rows begin, and their cells by column."""
    items: Sequence[dict[str, object]] = ()
    """The objects of a list as they are."""
    done: Sequence[str] = ()


def read_source(path: Path, *, ours: bool = False) -> Source:
    """A JSON file by its name, else a CSV file; `InputError` if it is broken. ours: `write_csv` wrote it."""
    if path.suffix == ".json":
        return _of_json(path)
    file = open_csv(path, ours=ours)
    done = unusual(file.separator, file.trailing)
    return Source(path=path, unit="row", header=file.header, blocks=file.blocks(), done=done)


def unusual(separator: str, trailing: int = 0) -> list[str]:
    """What is unusual in the form of a CSV file."""
    said = [f"cells are separated by {_SEPARATORS[separator]}"] if separator in _SEPARATORS else []
    return said + [f"rows end in {many(trailing, 'empty cell')}, without a column"] * bool(trailing)


def json_object(path: Path) -> dict[str, object]:
    """The object in a file; `InputError` if it holds something else."""
    found = _parsed(path, read_text(path))
    if not isinstance(found, dict):
        raise InputError(f"not an object but {kind_of(found)}", where=Where(path, 1), hint=AGAIN)
    return found


def kind_of(value: object) -> str:
    """A value for a message.

    >>> kind_of([1]), kind_of(None)
    ("a list ('[1]')", 'nothing')
    """
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", bool: "a truth", str: "text"}
    return f"{names.get(type(value), 'a number')} ({shown(str(value), 30)})"


def _of_json(path: Path) -> Source:
    text = read_text(path)
    items = _parsed(path, text)
    if not isinstance(items, list):
        raise InputError(f"not a list of objects but {kind_of(items)}", where=Where(path, 1), hint=AGAIN)
    lines = _lines_of_items(text, len(items))
    faults = Faults(path, "item")
    for number, (line, item) in enumerate(zip(lines, items, strict=True)):
        if not isinstance(item, dict):
            faults.add(line, f"not an object but {kind_of(item)}", hint=AGAIN, item=number)
    faults.raise_any(len(items))
    header = tuple(dict.fromkeys(key for item in items for key in item))
    columns = [[_cell(item.get(key)) for item in items] for key in header]
    return Source(path=path, unit="item", header=header, blocks=[(lines, columns)] if items else [], items=items)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value)


def _parsed(path: Path, text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        what = f"broken JSON: {error.msg}"
        raise InputError(what, where=Where(path, error.lineno), hint="the file is cut off or damaged") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}", where=Where(path), hint=AGAIN) from None


def _lines_of_items(text: str, count: int) -> list[int]:
    """The lines, from 1, in which the items of a JSON list begin.

    >>> _lines_of_items('[{"a": 1},\\n {"a": 2}]', 2)
    [1, 2]
    """
    decoder = json.JSONDecoder()
    lines: list[int] = []
    at = text.index("[") + 1
    line = 1 + text.count("\n", 0, at)
    for _ in range(count):
        start = next(_ITEM.finditer(text, at)).start()
        lines.append(line + text.count("\n", at, start))
        _, end = decoder.raw_decode(text, start)
        line, at = lines[-1] + text.count("\n", start, end), end
    return lines


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
