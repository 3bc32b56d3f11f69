"""What tomllib leaves out: single values, and writing."""

from __future__ import annotations

import json
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
