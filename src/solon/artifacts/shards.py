"""Rows as JSONL: how they are written and read, and shards that are committed one by one together with what was counted
for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from solon.artifacts.atomic import canonical_json, sha256_bytes, write_atomic
from solon.artifacts.manifest import Counts, row_files
from solon.errors import Fault, RunError, Where
from solon.records import Record, first_error

R = TypeVar("R", bound=Record)


class ShardNote(Record):
    """Kept beside a shard until its stage is finished: says that the shard is whole, and what was counted for it."""

    sha256: str
    first: int
    """Index of the shard's first item."""
    items: int
    """Items that went in; the rows that came out may be more or fewer."""
    counts: Counts


def encode_rows(rows: Iterable[Record]) -> bytes:
    """One canonical line of JSON per row."""
    return b"".join(canonical_json(row) for row in rows)


def decode_rows(lines: Iterable[bytes], record: type[R], path: Path, *, first: int = 1) -> Iterator[R]:
    """The rows of a JSONL file, as they are read. Raises `RunError` with file and line of every row (ten at most) that
    is no `record`; none comes after it. `first`: number of the first of the lines."""
    faults: list[Fault] = []
    for number, line in enumerate(lines, start=first):
        try:
            row = record.model_validate_json(line)
        except ValidationError as error:
            faults.append(Fault(f"not a {record.__name__}: {first_error(error)}", Where(path, number)))
        else:
            if not faults:
                yield row
    if faults:
        raise RunError(faults[:10])


def shard_name(file: str, index: int) -> str:
    """`rows-00000.jsonl`."""
    return f"{file}-{index:05d}.jsonl"


class Shards:
    """The rows of a stage in progress.

    A shard counts as committed when it and its note (in `notes`) are both there and the note's hash is the shard's. The
    note is written first: killed between the two, the shard is missing and is made again.
    """

    def __init__(self, folder: Path, notes: Path):
        self._folder, self._notes = folder, notes

    def path(self, index: int) -> Path:
        return self._folder / shard_name("rows", index)

    def committed(self, index: int, *, first: int, items: int) -> Counts | None:
        """What was counted for a committed shard; None if it is missing, damaged or was cut otherwise."""
        try:
            note = ShardNote.model_validate_json(self._note(index).read_bytes())
            data = self.path(index).read_bytes()
        except (FileNotFoundError, ValidationError):
            return None
        if (note.first, note.items, note.sha256) != (first, items, sha256_bytes(data)):
            return None
        return note.counts

    def commit(self, index: int, data: bytes, *, first: int, items: int, counts: Counts) -> None:
        """Keep a shard and its counts."""
        note = ShardNote(sha256=sha256_bytes(data), first=first, items=items, counts=counts)
        write_atomic(self._note(index), canonical_json(note))
        write_atomic(self.path(index), data)

    def cut(self, shards: int) -> None:
        """Remove every shard from number `shards` on: left over from a longer list of items."""
        for name in row_files(os.listdir(self._folder), "rows")[shards:]:
            (self._folder / name).unlink()

    def _note(self, index: int) -> Path:
        return self._notes / self.path(index).with_suffix(".json").name
