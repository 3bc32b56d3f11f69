"""On which line of a JSON or TOML file each value stands, which `json` and `tomllib` do not say.

Both functions expect text that the standard parser has accepted, so they need only recognise its tokens.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
"""Keys and indices from the root to a value, e.g. `("principle", 2, "weight")`."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where things stand in one text."""

    lines: dict[KeyPath, int]
    """Line, from 1, of each value or table. A key given twice keeps its first line."""
    repeated: dict[KeyPath, int] = field(default_factory=dict)
    """Line of the second value of a JSON key given twice; `json` would silently keep only that one."""

    def line(self, path: KeyPath) -> int:
        """The line of the value at `path`, or of the nearest value around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)


def json_places(text: str) -> Places:
    """Finds every value of a JSON text."""
    lines: dict[KeyPath, int] = {}
    repeated: dict[KeyPath, int] = {}
    stack: list[str | int] = []
    """Per open container: the current key of an object ("" before the first) or the current index of an array."""
    expects_key = False
    line, seen = 1, 0
    for token in _JSON_TOKEN.finditer(text):
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


_KEY = r"""(?:"(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_HEADER = re.compile(rf"(\[\[?)[ \t]*({_DOTTED})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"({_DOTTED})[ \t]*=")
_VALUE_TOKEN = re.compile(
    r'"""(?:\\.|(?!""")[^\\])*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*|[\[\]{}\n]|[^\s\"'#\[\]{}]+|[ \t]+",
    re.DOTALL,
)


def toml_places(text: str) -> Places:
    """Finds every table and every `key = value` of a TOML text. Values inside inline tables stand where these begin."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    """Index of the current table of each array of tables."""
    table: KeyPath = ()
    position = _skip(_BLANK, text, 0)
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        header = _HEADER.match(text, position)
        if header:
            table = _table(_parts(header[2]), counts, is_array=header[1] == "[[")
            lines.setdefault(table, line)
            position = header.end()
        else:
            assignment = _ASSIGNMENT.match(text, position)
            if assignment is None:  # a gap of ours, for the parser has accepted it; the lines so far hold
                break
            lines.setdefault(table + _parts(assignment[1]), line)
            position = _after_value(text, assignment.end())
        position = _skip(_BLANK, text, position)
    return Places(lines=lines)


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _parts(dotted: str) -> tuple[str, ...]:
    parts = re.findall(_KEY, dotted)
    return tuple(json.loads(part) if part[0] == '"' else part.strip("'") for part in parts)


def _table(parts: tuple[str, ...], counts: dict[KeyPath, int], *, is_array: bool) -> KeyPath:
    """The path a header stands for: `[[a]]` opens the next element of `a`, `[a.b]` belongs to its last element."""
    path: KeyPath = ()
    for depth, part in enumerate(parts, start=1):
        path += (part,)
        if is_array and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path += (counts[path],)
    return path


def _after_value(text: str, position: int) -> int:
    """The end of a value: the first newline outside strings, comments and brackets."""
    depth = 0
    while position < len(text):
        token = _VALUE_TOKEN.match(text, position)
        if token is None:
            return len(text)
        if token[0] == "\n" and depth == 0:
            return position
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        position = token.end()
    return position
