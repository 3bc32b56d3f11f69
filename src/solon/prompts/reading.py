"""One pass through a file of prompts or helpfulness data: every row is used, left out and counted, or a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from solon.config import ReadingSection
from solon.errors import Where
from solon.prompts.columns import Columns
from solon.prompts.faults import Faults, Malformed, Missing, Unreadable, Unusable
from solon.prompts.labels import UNKNOWN, Attribution
from solon.prompts.missing import with_columns
from solon.prompts.row import Row
from solon.prompts.rows import name_of, read_rows
from solon.prompts.turns import digest
from solon.records import Prompt


@dataclass(frozen=True, kw_only=True)
class Example:
    """What one row gives."""

    row: int
    """The number of the row, counted from 1. Rows may share a line."""
    prompt: Prompt
    answers: tuple[str, ...] = ()
    """None, one that is worth imitating, or two that were compared."""
    p_first: float = 1.0
    """The probability that the first of two answers is the better one."""
    by: Attribution = UNKNOWN

    @property
    def id(self) -> str:
        if not self.answers:
            return self.prompt.id
        by = [] if self.by == UNKNOWN else [asdict(self.by)]
        return f"helpful-{digest(self.prompt.id, *self.answers, *by)}"


@dataclass(frozen=True, kw_only=True)
class Given:
    """A row's fields by their names here, and where it stands."""

    fields: dict[str, object]
    row: int
    """Its number, counted from 1."""
    source: str
    """File and line, of a JSON list also the item, as a prompt notes them."""


class Reading:
    """A pass through a file, and what it came across."""

    def __init__(self, source: str | Path, how: ReadingSection):
        self.rows = 0
        self.dropped: Counter[str] = Counter()
        self.columns = Columns(how.columns)
        self._faults = Faults(path=source)
        self._source, self._how = source, how
        self.name = name_of(source)

    def examples(self, parse: Callable[[Given], Example], only: Container[int] | None = None) -> Iterator[Example]:
        """What `parse` makes of each row, or of those numbered `only`.

        Raises:
            PromptError: at the end, if the file has faults, or holds no rows.
        """
        try:
            for row in read_rows(self._source, self.columns.wanted):
                self.rows += 1
                if only is None or self.rows in only:
                    yield from self._parsed(row, parse)
        except Unreadable as error:
            self._faults.add(error.what, error.line, error.hint, error.item)
        self._finish()

    def refuse_unless(self, used: bool, what: str) -> None:
        """Raises `PromptError` if no row was of use."""
        if used:
            return
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.left_out().most_common())
        rows = f"in {self.rows} rows ({reasons})"
        self._faults.add(f"no usable {what} {rows}" if self.rows else f"no {what}s: the file is empty")
        self._faults.raise_of_file()

    def left_out(self) -> Counter[str]:
        """Rows that gave nothing, by reason; faulty ones among them."""
        faulty = {f"faulty row: {reason}": count for reason, count in self._faults.rows.items()}
        return +(self.dropped + Counter(faulty))

    def notes(self) -> tuple[str, ...]:
        """What should be said aloud."""
        note = self._faults.note()
        return (note,) if note else ()

    def _parsed(self, row: Row, parse: Callable[[Given], Example]) -> Iterator[Example]:
        fields: dict[str, object] = {}
        try:
            fields = row.read()
            yield parse(
                Given(
                    fields=self.columns.renamed(fields), row=self.rows, source=str(Where(self.name, row.line, row.item))
                )
            )
        except Missing as error:
            self._faults.add_row(with_columns(error, row.columns or tuple(fields), self.columns), row, self.rows)
        except Malformed as error:
            self._faults.add_row(error, row, self.rows)
        except Unusable as error:
            self.dropped[error.reason] += 1

    def _finish(self) -> None:
        if self._how.on_fault == "stop":
            self._faults.raise_any()
        self._faults.raise_of_file()
        self._faults.raise_if_many(self.rows, self._how.max_faults)
