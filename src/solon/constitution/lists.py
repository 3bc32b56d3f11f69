"""Constitutions as TOML lists: one `[[principle]]` table per principle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solon.constitution.files import TomlFile, kind, read_text
from solon.constitution.principles import (
    TEXT_KEYS,
    WHOLE,
    WHOLE_TAKEN,
    Constitution,
    ConstitutionFile,
    Principle,
    text_fault,
)
from solon.constitution.texts import Text
from solon.records import Record
from solon.text import did_you_mean, listed
from solon.toml_text import toml_lines

_SHAPE = "write one [[principle]] table per principle, with an id and a critique pair, a comparison question, or both"


class _Head(Record):
    """What stands before the first principle."""

    name: Text | None = None
    title: Text | None = None
    description: str = ""


_HEAD_KEYS = (*_Head.model_fields, "principle")


def read_list(path: Path) -> ConstitutionFile:
    """Reads a TOML list. Raises ConstitutionError with every fault of the file and its line."""
    file = TomlFile(path, read_text(path), what="a constitution")
    head_keys = {key: value for key, value in file.data.items() if key != "principle"}
    head = file.checked(_Head, head_keys, known=_HEAD_KEYS) or _Head()
    principles: list[Principle] = []
    lines: dict[tuple[str, str], int] = {}
    for index, table in enumerate(_tables(file)):
        principle = _read_principle(index, table, file)
        if principle:
            principles.append(principle)
            lines |= {(principle.id, key): file.places.line(("principle", index, key)) for key in table}
    file.raise_any()
    name = head.name or path.stem
    constitution = Constitution(
        name=name, title=head.title or name, description=head.description, principles=tuple(principles)
    )
    return ConstitutionFile(constitution=constitution, path=path, lines=lines)


def _tables(file: TomlFile) -> list[dict[str, Any]]:
    """The principles' tables; every fault that keeps them from being such, and ids that two of them share."""
    value = file.data.get("principle")
    if value is None or value == []:
        file.add("has no principles", None, _SHAPE)
        return []
    if isinstance(value, dict):
        file.fault("[principle] is a single table", "principle", hint="write [[principle]], with two brackets")
        return []
    values = value if isinstance(value, list) else [value]
    odd = [table for table in values if not isinstance(table, dict)]
    if odd:
        file.fault(f"`principle` holds {kind(odd[0])}", "principle", hint=_SHAPE)
        return []
    first: dict[str, int] = {}
    for index, table in enumerate(values):
        name, line = table.get("id"), file.places.line(("principle", index, "id"))
        if isinstance(name, str) and name in first:
            hint = f"the first stands on line {first[name]}; give each principle an id of its own"
            file.add(f"the id `{name}` is used twice", line, hint)
        elif isinstance(name, str):
            first[name] = line
        if name == WHOLE:
            file.add(WHOLE_TAKEN, line, "give the principle another")
    return values


def _read_principle(index: int, table: dict[str, Any], file: TomlFile) -> Principle | None:
    under = ("principle", index)
    label = f"principle `{table['id']}`" if isinstance(table.get("id"), str) else f"principle {index + 1}"
    if missing := text_fault(*(table.get(key) for key in TEXT_KEYS)):
        half = [key for key in TEXT_KEYS[:2] if key in table]
        file.fault(f"{label} {missing}", *under, *half, hint=_text_hint(table))
    name = table.get("id")
    defaults = {"title": name if isinstance(name, str) else "untitled", "source": file.path.name}
    return file.checked(Principle, defaults | table, *under, label=label)


def _text_hint(table: dict[str, Any]) -> str:
    """A misspelt key is the likeliest reason for a missing text."""
    for key in table:
        if key not in Principle.model_fields and did_you_mean(key, TEXT_KEYS):
            return f"is `{key}` meant to be one of {listed(TEXT_KEYS)}?"
    return "add critique_request and revision_request (both), or comparison_question, or all three"


def list_toml(constitution: Constitution) -> str:
    """A list as the text of a TOML file that loads as the same list."""
    head = {"name": constitution.name, "title": constitution.title, "description": constitution.description}
    principles = [{**one.model_dump(exclude_defaults=True), "source": one.source} for one in constitution.principles]
    blocks = [toml_lines(head.items()), *("[[principle]]\n" + toml_lines(fields.items()) for fields in principles)]
    return "\n".join(blocks)
