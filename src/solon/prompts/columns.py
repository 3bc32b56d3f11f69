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
        self.met: set[str] = set()
        """Those of the user's own names that a row had."""

    @property
    def wanted(self) -> frozenset[str]:
        """Every name that can mean something, here or to the person."""
        return frozenset((*COLUMNS, *LIKELY_PROMPTS)).union(*self._names.values())

    def renamed(self, fields: Mapping[str, object]) -> dict[str, object]:
        """The fields by their names here. A field that holds null is as good as absent."""
        present = {name: value for name, value in fields.items() if value is not None}
        for name, theirs in self._names.items():
            here = [their for their in theirs if their in fields]
            self.met.update(here)
            if given := [their for their in here if their in present]:
                present[name] = present[given[0]]
        return present
