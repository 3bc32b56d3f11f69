"""A row of any file, and what can be wrong with it or with the file, collected before anything is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.errors import Fault, PromptError, Where
from solon.text import printable

Fields = Mapping[str, object]
"""A row's values by their columns."""
MAX_FAULTS = 20
"""Faults printed for one file; the rest are counted."""
MAX_NAMED = 5
"""Rows named where faulty rows are left out."""
_MAX_LISTED = 20


@dataclass(frozen=True, kw_only=True)
class Row:
    """One JSON object, CSV record or row of a table."""

    line: int
    """Where it begins, counted from 1: a line of a text file, a row of a table."""
    item: int | None = None
    """Its number in a JSON list, counted from 1: several items may begin on one line."""
    columns: tuple[str, ...] | None = None
    """Every name that a table has, where `read` gives only some of them."""
    read: Callable[[], Fields]
    """Its fields. Raises `Malformed`."""


class Malformed(ValueError):
    """A row of the wrong shape. `reason` is what it is counted under where such rows are left out."""

    def __init__(self, what: str, hint: str | None = None, *, reason: str | None = None):
        super().__init__(what)
        self.what, self.hint, self.reason = what, hint, reason or what


class Missing(Malformed):
    """A row that has none of the fields `names`; the message lists the columns that it has."""

    def __init__(self, what: str, hint: str, names: Sequence[str]):
        super().__init__(what, hint)
        self.names = names


class Unusable(ValueError):
    """A well-formed row that cannot serve; it is left out and counted under the message."""


class Unreadable(ValueError):
    """A file that cannot be read, or not from `line` (of a JSON list: from `item`) on."""

    def __init__(self, what: str, line: int | None = None, hint: str | None = None, item: int | None = None):
        super().__init__(what)
        self.what, self.line, self.hint, self.item = what, line, hint, item


@dataclass(kw_only=True)
class _FaultGroup:
    """A fault, and how many rows that follow each other have it. `number`: the first one's."""

    what: str
    where: Where
    hint: str | None = None
    number: int = 0
    count: int = 1

    def fault(self) -> Fault:
        more = self.count - 1
        like = f", and {more:,} more row{'s' if more > 1 else ''} like it" if more else ""
        return Fault(f"{self.what}{like}", self.where, self.hint)


@dataclass(kw_only=True)
class RowFaults:
    """What is wrong with one file. Holds `MAX_FAULTS` faults of its rows, and counts the rows of all of them.

    The same fault of rows that follow each other is one.
    """

    path: str | Path
    rows: Counter[str] = field(default_factory=Counter)
    """Faulty rows by reason."""
    _of_file: list[_FaultGroup] = field(default_factory=list)
    _of_rows: list[_FaultGroup] = field(default_factory=list)
    _named: list[Where] = field(default_factory=list)
    """The first `MAX_NAMED` faulty rows."""

    def add(self, error: Unreadable) -> None:
        """A fault of the whole file."""
        where = Where(self.path, error.line, error.item)
        self._of_file.append(_FaultGroup(what=error.what, where=where, hint=error.hint))

    def add_row(self, error: Malformed, row: Row, number: int) -> None:
        """A fault of one row, whose `number` is how many rows there are up to it."""
        self.rows[error.reason] += 1
        where = Where(self.path, row.line, row.item)
        if len(self._named) < MAX_NAMED:
            self._named.append(where)
        last = self._of_rows[-1] if self._of_rows else None
        if last and last.what == error.what and last.number + last.count == number:
            last.count += 1
        elif len(self._of_rows) < MAX_FAULTS:
            self._of_rows.append(_FaultGroup(what=error.what, where=where, hint=error.hint, number=number))

    def raise_any(self, *, of_rows: bool = True) -> None:
        """Raises `PromptError` with the first `MAX_FAULTS` faults and the number of the others, if there are any.

        `of_rows`: those of rows too.
        """
        found = [*self._of_file, *(self._of_rows if of_rows else ())]
        shown = sorted(found, key=lambda fault: fault.where.line or 0)[:MAX_FAULTS]
        told = [group.fault() for group in shown]
        every = len(self._of_file) + (self.rows.total() if of_rows else 0)
        if more := every - sum(group.count for group in shown):
            told.append(Fault(f"and {more} more", Where(self.path)))
        if told:
            raise PromptError(told)

    def raise_if_many(self, rows: int, share: float) -> None:
        """Raises `PromptError`, with the first faults, if more than `share` of the `rows` are faulty."""
        bad = self.rows.total()
        if bad > share * rows:
            what = f"{bad} of {rows} rows cannot be read, more than prompts.max_faults = {share:g} allows"
            faults = (group.fault() for group in self._of_rows)
            raise PromptError([Fault(what, Where(self.path), "repair the file, or allow more"), *faults])

    def notes(self) -> tuple[str, ...]:
        """One line on the faulty rows, and where the first of them stand, if there are any."""
        if not self.rows:
            return ()
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.rows.most_common())
        places = ", ".join(str(at.line) if at.item is None else f"item {at.item}" for at in self._named)
        more = ", ..." if self.rows.total() > MAX_NAMED else ""
        return (f"{self.path}: faulty rows left out: {self.rows.total()} ({reasons}), at {places}{more}",)


def first_line(error: BaseException) -> str:
    """The beginning of a library's message."""
    return printable((str(error).strip().splitlines() or [type(error).__name__])[0].strip())


def listed(names: Sequence[str]) -> str:
    """Names of columns, the first of many."""
    return printable(", ".join(names[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else ""))


def optional_library(name: str) -> Unreadable:
    """The fault of a library that the core does without."""
    return Unreadable(f"needs {name}, which is not installed", hint="pip install 'solon[data]'")
