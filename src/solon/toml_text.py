"""What tomllib leaves out: the line of each key, single values, and writing."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any


def leaves(data: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Dotted keys and their values; an empty table is a value."""
    for key, value in data.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def key_lines(text: str) -> dict[str, int]:
    """Line of each key and section header of a valid TOML file; keys inside multi-line strings are passed over."""
    lines: dict[str, int] = {}
    section, open_quote = "", ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not open_quote:
            if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
                section = f"{header[1]}."
                lines.setdefault(header[1], number)
            elif key := re.match(r"\s*[\"']?([\w.-]+)[\"']?\s*=", line):
                lines.setdefault(section + key[1], number)
        for quote in re.findall(r'"""|\'\'\'', line):
            open_quote = "" if open_quote == quote else open_quote or quote
    return lines


def parse_value(text: str) -> Any:
    """`text` as a TOML value, or as plain text if it is none."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # also a number of too many digits, and lists in lists in lists
        return text
    return parsed["value"] if len(parsed) == 1 else text


def toml_lines(items: Iterable[tuple[str, Any]]) -> str:
    """`key = value` lines; keys whose value is None are left out, as TOML has no null."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in items if value is not None)


def toml(value: Any) -> str:
    """A value as TOML. JSON's spelling is TOML's but for tables and the delete character."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")
