"""A TOML file while it is read: every fault is noted with its line, and all are reported together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from solon.errors import Fault, Where
from solon.records import Record

_Kind = TypeVar("_Kind", bound=Record)


@dataclass(frozen=True, kw_only=True)
class TomlFile:
    """A file while it is read, and what is wrong with it so far."""

    path: Path
    text: str
    faults: list[Fault] = field(default_factory=list)

    def fault(self, what: str, section: str, key: str | None = None, hint: str | None = None, nth: int = 0) -> None:
        self.faults.append(Fault(what, Where(self.path, line_of(self.text, section, key, nth=nth)), hint))

    def named(self, section: str, value: Any) -> Iterator[tuple[str, Any]]:
        """The tables `[section.NAME]`."""
        if isinstance(value, dict):
            yield from value.items()
        elif value is not None:
            self.fault(f"{section} must be tables [{section}.NAME]", "", section)

    def listed(self, section: str, value: Any) -> Iterator[Any]:
        """The tables `[[section]]`."""
        if isinstance(value, list):
            yield from value
        elif value is not None:
            self.fault(f"{section} must be tables [[{section}]]", section, section)

    def checked(self, kind: type[_Kind], table: Any, section: str, nth: int = 0) -> _Kind | None:
        """A table as a record; None, and its faults noted, if it is none. nth: among tables of that name."""
        try:
            return kind.model_validate(table)
        except ValidationError as error:
            keys = f"known keys: {', '.join(key for key in kind.model_fields if key != 'name')}"
            for one in error.errors():
                parts = [str(part) for part in one["loc"]]
                unknown = one["type"] == "extra_forbidden"
                what = "unknown key" if unknown else one["msg"][0].lower() + one["msg"][1:]
                place = ".".join([section, *parts] if section else parts)
                table_name, key = section or "".join(parts[:1]), parts[-1] if parts else None
                self.fault(f"{place}: {what}", table_name, key, keys if unknown else None, nth)
            return None


def line_of(text: str, section: str, key: str | None = None, *, nth: int = 0) -> int | None:
    """Line of a table, or of a key in it, counted from 1: the first that looks like it; None if none does.

    nth: which of several tables `[[section]]`, counted from 0.
    """
    heads = (section, f"attributes.{section}")
    start, passed = None if section else 0, 0
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        if found := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
            name = re.sub("[\"']", "", found[2])
            inside = any(name == head or name.startswith(f"{head}.") for head in heads)
            another = found[1] == "[[" and name in heads
            if start is not None and (another or not inside):
                break
            if start is None and inside and passed == nth and (another or not nth):
                start = number
            passed += another
        if start is not None and key and _has_key(line, key):
            return number
    # Written as one line, without a head: attributes.age.shares = {...}
    return start or next((at for at, line in enumerate(lines, start=1) if section and _has_key(line, section)), None)


def _has_key(line: str, key: str) -> bool:
    return (
        not line.lstrip().startswith("#")
        and re.search(rf"(^|[\s{{,.\"']){re.escape(key)}[\"']?\s*[=.]", line) is not None
    )


def line_of_fault(fault: Fault) -> int:
    """To sort faults by; those without a line come first."""
    return (fault.where.line if fault.where else None) or 0
