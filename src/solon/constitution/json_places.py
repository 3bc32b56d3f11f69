"""On which line of a JSON file each value stands, which `json` does not say."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
"""Keys and indices from the root to a value, e.g. `("critique", 2, "answer")`."""

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things stand in one JSON text."""

    lines: dict[Path, int]
    """Line, from 1, of each value. A key given twice keeps its first line."""
    repeated: dict[Path, int]
    """Line of the second value of a key given twice in one object; `json` would silently keep only that one."""

    def line(self, path: Path) -> int:
        """The line of the value at `path`, or of the nearest value around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def places(text: str) -> Places:
    """Finds every value of `text`, which `json.loads` must have accepted."""
    lines: dict[Path, int] = {}
    repeated: dict[Path, int] = {}
    stack: list[str | int] = []
    """Per open container: the current key of an object ("" before the first) or the current index of an array."""
    expects_key = False
    line, seen = 1, 0
    for token in _TOKEN.finditer(text):
        line += text.count("\n", seen, token.start())
        seen = token.start()
        mark = token[0]
        if mark in "]}":
            stack.pop()
            expects_key = False
        elif mark == ",":
            last = stack[-1]
            expects_key = isinstance(last, str)
            stack[-1] = "" if isinstance(last, str) else last + 1
        elif mark == ":":
            expects_key = False
        elif expects_key:
            stack[-1] = json.loads(mark)
        else:
            path = tuple(stack)
            (repeated if path in lines else lines)[path] = line
            if mark in "[{":
                stack.append(0 if mark == "[" else "")
                expects_key = mark == "{"
    return Places(lines=lines, repeated=repeated)


def kind(value: Any) -> str:
    """What a JSON or TOML value is called in a message: `text`, `a number`, `a list`, `a table`, ..."""
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "nothing" if value is None else "a date or time")
