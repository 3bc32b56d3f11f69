"""Columns of whole numbers out of CSV files with a million rows, without keeping the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Ints
from solon.collective.reading.cells import ids, integers, refuse
from solon.collective.tables import Table, stream_csv

CHUNK = 50_000
"""Rows held as text at a time."""
WORDS = "S40"
"""What is kept of a column of words: the first 40 ASCII characters."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Some columns of a file. Arrays [rows]."""

    header: tuple[str, ...]
    numbers: dict[str, Ints]
    words: NDArray[np.bytes_] | None
    """The column asked for as words, if the file has it."""
    lines: Ints
    """Where each row begins, counted from 1."""


def read_columns(
    path: Path, id_names: Sequence[str], number_names: Sequence[str], *, optional: Sequence[str] = (), words: str = ""
) -> Columns:
    """The named columns as numbers.

    id_names: columns of ids; number_names: of other whole numbers; optional: those that may be absent; words: a column
    to keep as text.

    Raises:
        InputError: naming the columns that are missing, or the cells (with their lines) that are no such numbers.
    """
    header, records = stream_csv(path)
    required = [name for name in (*id_names, *number_names) if name not in optional]
    Table(path=path, header=header, cells=[], lines=[]).require(*required)
    names = [name for name in (*id_names, *number_names) if name in header]
    parts: dict[str, list[Ints]] = {name: [np.zeros(0, dtype=np.int64)] for name in names}
    lines_parts = [np.zeros(0, dtype=np.int64)]
    words_parts: list[NDArray[np.bytes_]] = [np.zeros(0, dtype=WORDS)]
    while chunk := list(islice(records, CHUNK)):
        refuse_ragged(path, header, chunk)
        lines = [line for line, _ in chunk]
        cells = dict(zip(header, zip(*(record for _, record in chunk), strict=True), strict=True))
        for name in names:
            parts[name].append((ids if name in id_names else integers)(path, name, cells[name], lines))
        if words in header:
            words_parts.append(as_words(cells[words]))
        lines_parts.append(np.array(lines, dtype=np.int64))
    return Columns(
        header=header,
        numbers={name: np.concatenate(arrays) for name, arrays in parts.items()},
        words=np.concatenate(words_parts) if words in header else None,
        lines=np.concatenate(lines_parts),
    )


def as_words(cells: Sequence[str]) -> NDArray[np.bytes_]:
    """Text as fixed-width ASCII, for comparing a million cells at once."""
    return np.array([cell.encode("ascii", "replace")[:40] for cell in cells], dtype=WORDS)


def refuse_ragged(path: Path, header: Sequence[str], records: Sequence[tuple[int, list[str]]]) -> None:
    """`InputError` that names the rows of another length than the header's."""
    width = len(header)
    bad = [(line, f"{len(record)} cells under {width} columns") for line, record in records if len(record) != width]
    refuse(path, bad, "the file is cut off or damaged there; export it again")
