"""What an import has to say about what it read: nothing is repaired, dropped or doubted in silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from solon.collective.conversation import Conversation
from solon.records import Record

Severity = Literal["note", "repair", "warning"]


class Finding(Record):
    """One thing worth knowing about an export."""

    severity: Severity
    """`note`: what was read or confirmed; `repair`: what was changed; `warning`: what does not fit together."""
    where: str
    """File, with the line where one line is meant."""
    what: str
    repair: str = ""
    """What was done about it; empty: nothing."""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f"; {self.repair}" if self.repair else "")


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A conversation and what was found while reading it."""

    conversation: Conversation
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Findings in the making."""

    found: list[Finding] = field(default_factory=list)

    def note(self, where: str | Path, what: str) -> None:
        self.found.append(Finding(severity="note", where=_named(where), what=what))

    def repair(self, where: str | Path, what: str, done: str) -> None:
        self.found.append(Finding(severity="repair", where=_named(where), what=what, repair=done))

    def warning(self, where: str | Path, what: str, done: str = "") -> None:
        self.found.append(Finding(severity="warning", where=_named(where), what=what, repair=done))


def many(count: int, one: str, several: str | None = None) -> str:
    """A count and its noun.

    >>> many(1, "vote"), many(1200, "vote"), many(2, "person", "people")
    ('1 vote', '1,200 votes', '2 people')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(items: list[int], most: int = 5) -> str:
    """The first few of some ids or lines.

    >>> listed([3, 1, 2]), listed(list(range(9)))
    ('1, 2, 3', '0, 1, 2, 3, 4, ...')
    """
    items = sorted(items)
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")


def _named(where: str | Path) -> str:
    return where.name if isinstance(where, Path) else where
