"""JSON files that hold a list of objects or one object, with every fault's item and line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from solon.collective.tables import MAX_FAULTS, as_integer, read_text, shown
from solon.errors import Fault, InputError, Where

Item = Mapping[str, object]
HINT = "fetch the file again, or mend the item"
_BETWEEN_ITEMS = re.compile(r"[\s,]*")


class Faults:
    """Faults of one file, by item. Items count from 0, as in most tools that read JSON."""

    def __init__(self, path: Path):
        self.path = path
        self.found: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self.found)

    def add(self, number: int, what: str) -> None:
        self.found.append((number, what))

    def raise_any(self) -> None:
        """Raises `InputError` with the first `MAX_FAULTS`; returns if there are none."""
        if not self.found:
            return
        lines = lines_of_items(read_text(self.path), 1 + max(number for number, _ in self.found))
        faults = [
            Fault(f"item {number}: {what}", Where(self.path, lines[number]), HINT)
            for number, what in self.found[:MAX_FAULTS]
        ]
        if more := len(self.found) - len(faults):
            faults.append(Fault(f"and {more:,} more items like that", Where(self.path)))
        raise InputError(faults)


def json_object(path: Path) -> dict[str, object]:
    """The object in a file; `InputError` if it holds something else."""
    found = _parsed(path)
    if not isinstance(found, dict):
        raise InputError(f"not an object but {kind_of(found)}", where=Where(path, 1), hint="fetch the file again")
    return found


def json_items(path: Path) -> list[Item]:
    """The objects of a list; `InputError` if the file, or an item, holds something else."""
    found = _parsed(path)
    if not isinstance(found, list):
        what = f"not a list of objects but {kind_of(found)}"
        raise InputError(what, where=Where(path, 1), hint="fetch the file again")
    faults = Faults(path)
    for number, item in enumerate(found):
        if not isinstance(item, dict):
            faults.add(number, f"not an object but {kind_of(item)}")
    faults.raise_any()
    return found


def lines_of_items(text: str, count: int) -> list[int]:
    """The lines, from 1, in which the first `count` items of a JSON list begin.

    >>> lines_of_items('[{"a": 1},\\n {"a": 2}]', 2)
    [1, 2]
    """
    decoder = json.JSONDecoder()
    lines: list[int] = []
    line, counted, at = 1, 0, text.index("[") + 1
    for _ in range(count):
        gap = _BETWEEN_ITEMS.match(text, at)
        assert gap is not None, "the pattern matches nothing too"
        line += text.count("\n", counted, gap.end())
        counted = gap.end()
        lines.append(line)
        _, at = decoder.raw_decode(text, counted)
    return lines


def whole(
    item: Item, name: str, number: int, faults: Faults, least: int, most: int, *, optional: bool = False
) -> int | None:
    """A whole number, which some fields have as text; None, and a fault unless it may be absent, if there is none."""
    value = item.get(name)
    if value is None and optional:
        return None
    found = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str):
        found = as_integer(value)
    if found is None:
        faults.add(number, f"{name} is no whole number but {kind_of(value)}")
        return None
    if not least <= found <= most:
        faults.add(number, f"{name} {shown(str(found), 30)} is not within {least} and {most}")
        return None
    return found


def kind_of(value: object) -> str:
    """A value for a message.

    >>> kind_of([1]), kind_of(None)
    ("a list ('[1]')", 'nothing')
    """
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", bool: "a truth", str: "text", int: "a number", float: "a number"}
    return f"{names.get(type(value), 'something else')} ({shown(str(value), 30)})"


def _parsed(path: Path) -> object:
    text = read_text(path)
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        what = f"broken JSON: {error.msg}"
        raise InputError(what, where=Where(path, error.lineno), hint="the file is cut off or damaged") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"broken JSON: {error}", where=Where(path), hint="fetch the file again") from None
