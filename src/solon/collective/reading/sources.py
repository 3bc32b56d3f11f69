"""The rows of a file as text, whether it is a CSV file or a list of JSON objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.collective.csv_text import Faults, read_text, shown
from solon.collective.phrases import many
from solon.collective.tables import open_csv
from solon.errors import InputError, Where

AGAIN = "fetch the file again"
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
    """What was unusual in the form of the file."""


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
