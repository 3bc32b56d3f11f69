"""The names that a file's columns have here."""

from __future__ import annotations

from collections.abc import Mapping

from solon.config import COLUMNS

LIKELY_PROMPTS = ("question", "instruction", "query", "input", "goal", "forbidden_prompt", "history", "text")
"""What prompts are called in sets that people use. Said in hints, and never taken for the prompt unasked."""


class Columns:
    """Renames the fields of rows, and knows which names it came across."""

    def __init__(self, names: Mapping[str, tuple[str, ...]]):
        self._names = names
        self._theirs = frozenset[str]().union(*names.values())
        self.met: set[str] = set()
        """Those of the user's own names that a row had."""

    @property
    def wanted(self) -> frozenset[str]:
        """Every name that can mean something, here or to the person."""
        return self._theirs.union(COLUMNS, LIKELY_PROMPTS)

    def renamed(self, fields: Mapping[str, object]) -> dict[str, object]:
        """The fields by their names here. A field that holds null is as good as absent."""
        present = {name: value for name, value in fields.items() if value is not None}
        if not self._names:
            return present
        self.met.update(self._theirs.intersection(fields))
        # What has another name here no longer means what it is called there.
        own = {name: value for name, value in present.items() if name not in self._theirs}
        given = {
            name: next(present[their] for their in theirs if their in present)
            for name, theirs in self._names.items()
            if any(their in present for their in theirs)
        }
        return own | given
