"""One pass through a file of prompts or helpfulness data: every row is used, left out and counted, or a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from solon.config.prompts import ReadingSection
from solon.data.columns import Columns
from solon.data.faults import Fields, Malformed, Missing, Row, RowFaults, Unreadable, Unusable
from solon.data.labels import UNKNOWN, Attribution
from solon.data.rows import name_of, read_rows
from solon.data.turns import digest
from solon.errors import PromptError, Where
from solon.records import Prompt


@dataclass(frozen=True, kw_only=True)
class Example:
    """The prompt and answers of one row."""

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
        by = [] if self.by == UNKNOWN else [vars(self.by)]
        return f"helpful-{digest(self.prompt.id, *self.answers, *by)}"


Parse = Callable[[Fields, int, str], Example]
"""A row's fields, its number, and its file and line as a prompt notes them. Raises `Malformed` or `Unusable`."""


class Reading:
    """One pass through a file: counts its rows, the rows it leaves out, and its faults."""

    def __init__(self, source: str | Path, how: ReadingSection):
        self.rows = 0
        self.dropped: Counter[str] = Counter()
        self.columns = Columns(how.columns)
        self._faults = RowFaults(path=source)
        self.source, self.how = source, how
        self.name = name_of(source)

    def examples(self, parse: Parse, only: Container[int] | None = None) -> Iterator[Example]:
        """The example of each row, or of the rows numbered `only`.

        Raises `PromptError` at the end if the file has faults.
        """
        try:
            for row in read_rows(self.source, self.columns.known):
                self.rows += 1
                if only is None or self.rows in only:
                    yield from self._parsed(row, parse)
        except Unreadable as error:
            self._faults.add(error)
        self._faults.raise_any(of_rows=self.how.on_fault == "stop")
        self._faults.raise_if_many(self.rows, self.how.max_faults)

    def distinct(self, parse: Parse, what: str) -> list[Example]:
        """Every example once, in memory; the others are counted. Raises as `examples` and `refuse_unless` do."""
        found: dict[str, Example] = {}
        for example in self.examples(parse):
            self.dropped["duplicate"] += example.id in found
            found.setdefault(example.id, example)
        self.refuse_unless(bool(found), what)
        return list(found.values())

    def refuse_unless(self, used: bool, what: str) -> None:
        """Raises `PromptError` unless a row was `used`. `what`: the kind of example that was expected."""
        if used:
            return
        reasons = ", ".join(f"{reason}: {count}" for reason, count in self.left_out().most_common())
        unused = f"no usable {what} in {self.rows} rows ({reasons})"
        raise PromptError(unused if self.rows else f"no {what}s: the file is empty", where=Where(self.source))

    def left_out(self) -> Counter[str]:
        """Counts of rows that gave no example, by reason, including faulty rows."""
        faulty = {f"faulty row: {reason}": count for reason, count in self._faults.rows.items()}
        return +(self.dropped + Counter(faulty))

    def notes(self) -> tuple[str, ...]:
        """Messages for the user."""
        return self._faults.notes()

    def _parsed(self, row: Row, parse: Parse) -> Iterator[Example]:
        fields: Fields = {}
        try:
            fields = row.read()
            source = str(Where(self.name, row.line, row.item))
            yield parse(self.columns.renamed(fields), self.rows, source)
        except Missing as error:
            self._faults.add_row(self.columns.explained(error, row.columns or tuple(fields)), row, self.rows)
        except Malformed as error:
            self._faults.add_row(error, row, self.rows)
        except Unusable as error:
            self.dropped[str(error)] += 1
