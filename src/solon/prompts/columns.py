"""The names that a file's columns have here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from solon.config import COLUMNS

LIKELY_PROMPTS = ("question", "instruction", "query", "input", "goal", "forbidden_prompt", "history", "text")
"""What prompts are called in sets that people use. Said in hints, and never taken for the prompt unasked."""

LIKELY_ANSWERS: tuple[tuple[str, dict[str, str]], ...] = (
    *(
        ("are the better and the worse answer", {"chosen": better, "rejected": worse})
        for better, worse in (
            ("chosen_response", "rejected_response"),
            ("response_chosen", "response_rejected"),
            ("preferred", "dispreferred"),
            ("chosen", "reject"),
        )
    ),
    *(
        ("are two answers", {"a": one, "b": two})
        for one, two in (
            ("response_a", "response_b"),
            ("answer_a", "answer_b"),
            ("response_0", "response_1"),
            ("response1", "response2"),
            ("conversation_a", "conversation_b"),
        )
    ),
    *(
        ("is the answer", {"response": name})
        for name in ("output", "answer", "best_answer", "chosen_response", "reply", "target")
    ),
)
"""The same of answers: what they are to the person, and what their columns are called, by the name here."""
_LIKELY = frozenset(LIKELY_PROMPTS).union(*(names.values() for _, names in LIKELY_ANSWERS))


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
        return self._theirs.union(COLUMNS, _LIKELY)

    def unmet(self, names: Collection[str], columns: Collection[str]) -> list[str]:
        """As `NAME=COLUMN`, what the user said of `names`, if none of it is among the `columns`."""
        said = [(name, their) for name in names for their in self._names.get(name, ())]
        return [] if any(their in columns for _, their in said) else [f"{name}={their}" for name, their in said]

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
