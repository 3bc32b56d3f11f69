"""The rows of an evaluation's file: each is read, or is a fault; all faults of a file are told together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from solon.data.faults import Fields, Malformed, Missing, RowFaults, Unreadable
from solon.data.rows import read_rows
from solon.errors import PromptError, Where
from solon.text import listed

T = TypeVar("T")


def read_each(path: Path, columns: Collection[str], parse: Callable[[Fields], T]) -> list[T]:
    """What `parse` makes of every row. Columns that it does not ask for are ignored.

    columns: all that it may ask for. Raises `PromptError` with the faults of the file and of its rows, or if it is
    empty.
    """
    faults = RowFaults(path=path)
    found: list[T] = []
    try:
        for number, row in enumerate(read_rows(path, columns), start=1):
            try:
                found.append(parse(row.read()))
            except Malformed as error:
                faults.add_row(error, row, number)
    except Unreadable as error:
        faults.add(error)
    faults.raise_any()
    if not found:
        raise PromptError("no rows: the file is empty", where=Where(path))
    return found


def field(fields: Fields, *names: str) -> object:
    """The value of the first of these columns that the row has. Raises `Missing`."""
    for name in names:
        if name in fields:
            return fields[name]
    hint = f"the row has {listed(fields)}" if fields else "the row is empty"
    wanted = " or ".join(f'"{name}"' for name in names)
    raise Missing(f"no {wanted}", hint, names)


def text(fields: Fields, *names: str) -> str:
    """The same, which must be text; null is "". Raises `Malformed`."""
    value = field(fields, *names)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Malformed(f'"{next(name for name in names if name in fields)}" must be text, not {value!r:.40}')
    return value


def repeated(ids: Iterable[str]) -> list[str] | None:
    """The ids as clusters for an interval, if rows share some: they are answers to one prompt. Else None."""
    found = list(ids)
    return found if len(set(found)) < len(found) else None


def whole(fields: Fields, *names: str) -> int:
    """The same, which must be a whole number, also written as text. Raises `Malformed`."""
    value = field(fields, *names)
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise Malformed(f'"{next(name for name in names if name in fields)}" must be a whole number, not {value!r:.40}')
