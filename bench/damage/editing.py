"""What the mutations of exports share: files taken apart, changed in one place, and put together again."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from damage.exports import Files, as_csv

Rng = np.random.Generator
Mutation = Callable[[Files, Rng], Files | None]
"""Damaged files; None: this cannot be done to these files."""
Rows = list[list[str]]


def edit_csv(files: Files, rng: Rng, edit: Callable[[Rows], object]) -> Files | None:
    """One CSV file edited as rows."""
    name = pick(files, rng, csv_names(files))
    if name is None or unquoted(files, name):
        return None
    rows = rows_of(files[name])
    edit(rows)
    return {**files, name: as_csv(rows[0], rows[1:]) if rows else b""}


def edit_json(files: Files, rng: Rng, edit: Callable[[list[Any]], Any]) -> Files | None:
    name = pick(files, rng, ("votes.json", "comments.json"))
    if name is None:
        return None
    items = json.loads(files[name])
    changed = edit(items)
    return {**files, name: json.dumps(items if changed is None else changed).encode()}


def put(rows: Rows, rng: Rng, change: Callable[[str], str]) -> None:
    row = rows[int(rng.integers(len(rows)))]
    at = int(rng.integers(len(row)))
    row[at] = change(row[at])


def insert(files: Files, rng: Rng, what: bytes) -> Files:
    name = any_file(files, rng)
    at = int(rng.integers(len(files[name]) + 1))
    return {**files, name: files[name][:at] + what + files[name][at:]}


def turned(name: str, data: bytes) -> bytes:
    if name.endswith(".json"):
        return json.dumps([{**item, "vote": -item["vote"]} for item in json.loads(data)]).encode()
    rows = rows_of(data)
    for at, title in enumerate(rows[0]):
        if title == "vote" or title.isdigit():
            for row in rows[1:]:
                row[at] = minus(row[at])
    return as_csv(rows[0], rows[1:])


def counts_swapped(name: str, data: bytes) -> bytes:
    if name.endswith(".json"):
        for a, b in (("agree_count", "disagree_count"),):
            data = data.replace(a.encode(), b"\0").replace(b"dis\0", a.encode()).replace(b"\0", b.encode())
        return data
    first, _, rest = data.partition(b"\n")
    titles = first.split(b",")
    other = {b"agrees": b"disagrees", b"disagrees": b"agrees", b"n-agree": b"n-disagree", b"n-disagree": b"n-agree"}
    return b",".join(other.get(title, title) for title in titles) + b"\n" + rest


def minus(cell: str) -> str:
    return {"1": "-1", "-1": "1"}.get(cell, cell)


def rows_of(data: bytes) -> Rows:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def unquoted(files: Files, name: str) -> bool:
    """Rows of different lengths: `csv` cannot take this file apart and put it together again."""
    return len({len(row) for row in rows_of(files[name])}) > 1


def csv_names(files: Files) -> tuple[str, ...]:
    return tuple(name for name in files if name.endswith(".csv"))


def any_file(files: Files, rng: Rng) -> str:
    return str(rng.choice(sorted(files)))


def pick(files: Files, rng: Rng, names: tuple[str, ...]) -> str | None:
    present = sorted(name for name in names if name in files)
    return str(rng.choice(present)) if present else None
