"""Rows that stay on disk: what is held of each is where it begins."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TypeVar, overload

from solon.artifacts.shards import decode_rows
from solon.records import Record

R = TypeVar("R", bound=Record)


class StoredRows(Sequence[R]):
    """The rows of JSONL files that no longer change, one file after the other. They are read whenever they are asked
    for, so that a stage of many rows has no more of them in memory than it works on.

    Raises `RunError` where a row that is read is not a `record`.
    """

    def __init__(self, paths: Iterable[Path], record: type[R]):
        self._paths, self._record = tuple(paths), record
        self._starts = [_starts(path) for path in self._paths]
        self._firsts = [0, *accumulate(map(len, self._starts))]

    def __len__(self) -> int:
        return self._firsts[-1]

    def __iter__(self) -> Iterator[R]:
        for path in self._paths:
            with open(path, "rb") as file:
                yield from decode_rows(file, self._record, path)

    @overload
    def __getitem__(self, at: int) -> R: ...
    @overload
    def __getitem__(self, at: slice) -> list[R]: ...
    def __getitem__(self, at: int | slice) -> R | list[R]:
        found = range(len(self))[at]
        return self._row(found) if isinstance(found, int) else [self._row(number) for number in found]

    def _row(self, number: int) -> R:
        at = bisect_right(self._firsts, number) - 1
        path, line = self._paths[at], number - self._firsts[at]
        with open(path, "rb") as file:
            file.seek(self._starts[at][line])
            (row,) = decode_rows([file.readline()], self._record, path, first=line + 1)
        return row


def _starts(path: Path) -> array[int]:
    """Where each line begins, in bytes."""
    starts, at = array("Q"), 0
    with open(path, "rb") as file:
        for line in file:
            starts.append(at)
            at += len(line)
    return starts
