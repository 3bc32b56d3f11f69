"""What can be wrong with a file or with one of its rows, collected before anything is reported."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.errors import Fault, PromptError, Where
from solon.progress import printable
from solon.prompts.row import Row

MAX_FAULTS = 20
"""Faults printed for one file; the rest are counted."""
MAX_NAMED = 5
"""Rows named where faulty rows are left out."""
_MAX_LISTED = 20


class Malformed(ValueError):
    """A row of the wrong shape. `reason` is what it is counted under where such rows are left out."""

    def __init__(self, what: str, hint: str | None = None, *, reason: str | None = None):
        super().__init__(what)
        self.what, self.hint, self.reason = what, hint, reason or what


class Unusable(ValueError):
    """A well-formed row that cannot serve; it is left out and counted under `reason`."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Unreadable(ValueError):
    """A file that cannot be read, or not from `line` (of a JSON list: from `item`) on."""

    def __init__(self, what: str, line: int | None = None, hint: str | None = None, item: int | None = None):
        super().__init__(what)
        self.what, self.line, self.hint, self.item = what, line, hint, item


@dataclass(kw_only=True)
class Faults:
    """What is wrong with one file. Holds `MAX_FAULTS` of its rows' faults, and counts all of them."""

    path: str | Path
    rows: Counter[str] = field(default_factory=Counter)
    """Faulty rows by reason."""
    _of_file: list[Fault] = field(default_factory=list)
    _of_rows: list[Fault] = field(default_factory=list)

    def add(self, what: str, line: int | None = None, hint: str | None = None, item: int | None = None) -> None:
        """A fault of the whole file."""
        self._of_file.append(Fault(what, Where(self.path, line, item), hint))

    def add_row(self, error: Malformed, row: Row) -> None:
        """A fault of one row."""
        self.rows[error.reason] += 1
        if len(self._of_rows) < MAX_FAULTS:
            self._of_rows.append(Fault(error.what, Where(self.path, row.line, row.item), error.hint))

    def raise_any(self) -> None:
        """Raises `PromptError` with the first `MAX_FAULTS` faults and the number of the others, if there are any."""
        _raise([*self._of_file, *self._of_rows], len(self._of_file) + self.rows.total(), self.path)

    def raise_of_file(self) -> None:
        """The same for faults of the whole file alone."""
        _raise(self._of_file, len(self._of_file), self.path)

    def raise_if_many(self, rows: int, share: float) -> None:
        """Raises `PromptError`, with the first faults, if more than `share` of the `rows` are faulty."""
        bad = self.rows.total()
        if bad > share * rows:
            what = f"{bad} of {rows} rows cannot be read, more than prompts.max_faults = {share:g} allows"
            raise PromptError([Fault(what, Where(self.path), "mend the file, or allow more"), *self._of_rows])

    def note(self) -> str | None:
        """One line on the faulty rows, and where the first of them stand; None if there are none."""
        if not self.rows:
            return None
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.rows.most_common())
        lines = ", ".join(_spot(fault.where) for fault in self._of_rows[:MAX_NAMED] if fault.where)
        more = ", ..." if self.rows.total() > MAX_NAMED else ""
        return f"{self.path}: faulty rows left out: {self.rows.total()} ({reasons}), at {lines}{more}"


def _spot(where: Where) -> str:
    """A place in a file that was named before."""
    return str(where.line) if where.item is None else f"item {where.item}"


def _raise(faults: list[Fault], number: int, path: str | Path) -> None:
    """Raises the first of these faults, of which there are `number` in all, by their lines."""
    shown = sorted(faults, key=lambda fault: (fault.where.line if fault.where else None) or 0)[:MAX_FAULTS]
    if more := number - len(shown):
        shown.append(Fault(f"and {more} more", Where(path)))
    if shown:
        raise PromptError(shown)


def first_line(error: BaseException) -> str:
    """The beginning of a library's message."""
    return printable((str(error).strip().splitlines() or [type(error).__name__])[0].strip())


def listed(names: Sequence[str]) -> str:
    """Names of columns, the first of many."""
    return printable(", ".join(names[:_MAX_LISTED]) + (", ..." if len(names) > _MAX_LISTED else ""))


def optional_library(name: str) -> Unreadable:
    """The fault of a library that the core does without."""
    return Unreadable(f"needs {name}, which is not installed", hint="pip install 'solon[data]'")
