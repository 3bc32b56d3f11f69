"""Constitutions as TOML lists: one `[[principle]]` table per principle.

`tomllib` does not say where a value stands, so `places` scans for it; a library that keeps positions would be a
dependency for the sake of line numbers alone.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from solon.constitution.faults import Faults
from solon.constitution.principles import Constitution, Principle, text_fault
from solon.constitution.reading import kind, read_text
from solon.constitution.sourced import Sourced
from solon.constitution.texts import Text
from solon.errors import ConstitutionError, Where
from solon.places import Places, toml_places
from solon.records import Record
from solon.text import did_you_mean, listed

SHAPE = "write one [[principle]] table per principle, with an id and a critique pair, a comparison question, or both"
TEXT_KEYS = ("critique_request", "revision_request", "comparison_question")


class _Head(Record):
    """What stands before the first principle."""

    name: Text | None = None
    title: Text | None = None
    description: str = ""


_HEAD_KEYS = (*_Head.model_fields, "principle")
_PRINCIPLE_KEYS = tuple(Principle.model_fields)


def read_list(path: Path) -> Sourced:
    """Reads a TOML list. Raises ConstitutionError with every fault of the file and its line."""
    text = read_text(path)
    tables = _parse(path, text)
    where = toml_places(text)
    faults = Faults(path)
    head = _read_head({key: value for key, value in tables.items() if key != "principle"}, where, faults)
    principles: list[Principle] = []
    lines: dict[tuple[str, str], int] = {}
    for index, table in enumerate(_tables(tables.get("principle"), where, faults)):
        principle = _read_principle(index, table, where, faults)
        if principle:
            principles.append(principle)
            lines |= {(principle.id, key): where.line(("principle", index, key)) for key in table}
    faults.raise_any()
    name = head.name or path.stem
    constitution = Constitution(
        name=name, title=head.title or name, description=head.description, principles=tuple(principles)
    )
    return Sourced(constitution=constitution, path=path, lines=lines)


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at line (\d+), column \d+\)$", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        what = re.sub(r" \(at [^)]*\)$", "", str(error))
        hint = "look at this line and the one before it: a missing quote, bracket or `=`, or a key given twice"
        raise ConstitutionError(
            f"is not TOML: {what[:1].lower()}{what[1:]}", where=Where(path, line), hint=hint
        ) from None
    except RecursionError:
        raise ConstitutionError("is nested too deeply to be a constitution", where=Where(path), hint=SHAPE) from None


def _read_head(table: dict[str, Any], where: Places, faults: Faults) -> _Head:
    try:
        return _Head.model_validate(table)
    except ValidationError as error:
        faults.add_refused(error, where, known=_HEAD_KEYS)
        return _Head()


def _tables(value: object, where: Places, faults: Faults) -> list[dict[str, Any]]:
    """The principles' tables; every fault that keeps them from being such, and ids that two of them share."""
    if value is None or value == []:
        faults.add("has no principles", None, SHAPE)
        return []
    if isinstance(value, dict):
        faults.add(
            "[principle] is a single table", where.line(("principle",)), "write [[principle]], with two brackets"
        )
        return []
    values = value if isinstance(value, list) else [value]
    tables = [table for table in values if isinstance(table, dict)]
    if len(tables) < len(values):
        odd = next(table for table in values if not isinstance(table, dict))
        faults.add(f"`principle` holds {kind(odd)}", where.line(("principle",)), SHAPE)
        return []
    first: dict[str, int] = {}
    for index, table in enumerate(tables):
        name, line = table.get("id"), where.line(("principle", index, "id"))
        if isinstance(name, str) and name in first:
            hint = f"the first stands on line {first[name]}; give each principle an id of its own"
            faults.add(f"the id `{name}` is used twice", line, hint)
        elif isinstance(name, str):
            first[name] = line
    return tables


def _read_principle(index: int, table: dict[str, Any], where: Places, faults: Faults) -> Principle | None:
    under = ("principle", index)
    label = f"principle `{table['id']}`" if isinstance(table.get("id"), str) else f"principle {index + 1}"
    missing = text_fault(*(table.get(key) for key in TEXT_KEYS))
    if missing:
        half = [key for key in TEXT_KEYS[:2] if key in table]
        faults.add(f"{label} {missing}", where.line((*under, *half)), _text_hint(table))
    name = table.get("id")
    defaults = {"title": name if isinstance(name, str) else "untitled", "source": faults.path.name}
    try:
        return Principle.model_validate(defaults | table)
    except ValidationError as error:
        faults.add_refused(error, where, under=under, label=label, known=_PRINCIPLE_KEYS)
        return None


def _text_hint(table: dict[str, Any]) -> str:
    """A misspelt key is the likeliest reason for a missing text."""
    for key in table:
        if key not in _PRINCIPLE_KEYS and did_you_mean(key, TEXT_KEYS):
            return f"is `{key}` meant to be one of {listed(TEXT_KEYS)}?"
    return "add critique_request and revision_request (both), or comparison_question, or all three"
