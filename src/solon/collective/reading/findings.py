"""What an import has to say about what it read: nothing is repaired, dropped or doubted in silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from solon.collective.conversation import Conversation
from solon.collective.phrases import listed, many
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
class Import:
    """A conversation and what was found while reading it."""

    conversation: Conversation
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Findings in the making."""

    found: list[Finding] = field(default_factory=list)

    def note(self, where: str | Path, what: str) -> None:
        self._add("note", where, what)

    def repair(self, where: str | Path, what: str, done: str) -> None:
        self._add("repair", where, what, done)

    def warning(self, where: str | Path, what: str, done: str = "") -> None:
        self._add("warning", where, what, done)

    def of_ids(
        self, severity: Severity, where: str | Path, one: str, ids: Sequence[int], what: str, done: str = ""
    ) -> None:
        """A finding about things with ids, if there are any: their number takes the place of `{}`, the ids follow."""
        if len(ids):
            self._add(severity, where, f"{what.format(many(len(ids), one))}: {listed(list(ids))}", done)

    def _add(self, severity: Severity, where: str | Path, what: str, done: str = "") -> None:
        name = where.name if isinstance(where, Path) else where
        self.found.append(Finding(severity=severity, where=name, what=what, repair=done))
