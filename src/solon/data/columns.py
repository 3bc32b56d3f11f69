"""The user's names for columns, and hints that suggest columns where a prompt or answer is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from solon.config.prompts import COLUMNS
from solon.data.faults import Fields, Malformed, Missing, listed

_PROMPTS = ("question", "instruction", "query", "input", "goal", "forbidden_prompt", "history", "text")
"""Names of prompt columns in common data sets. Hints suggest them; they are never taken for the prompt unasked."""
_ANSWERS = (
    (
        "are the better and the worse answer",
        "chosen rejected",
        (
            *("chosen_response rejected_response", "response_chosen response_rejected"),
            *("preferred dispreferred", "chosen reject"),
        ),
    ),
    (
        "are two answers",
        "a b",
        (
            *("response_a response_b", "answer_a answer_b", "response_0 response_1"),
            *("response1 response2", "conversation_a conversation_b"),
        ),
    ),
    ("is the answer", "response", ("output", "answer", "best_answer", "chosen_response", "reply", "target")),
)
"""The same of answers: what they are, their names here, and the names of their columns in common data sets."""
_LIKELY = frozenset(_PROMPTS).union(*(columns.split() for _, _, sets in _ANSWERS for columns in sets))


class Columns:
    """Renames the fields of rows, and notes which of the user's names occur."""

    def __init__(self, names: Mapping[str, tuple[str, ...]]):
        self._names = names
        self._theirs = frozenset[str]().union(*names.values())
        self.met: set[str] = set()
        """Those of the user's own names that a row had."""

    @property
    def known(self) -> frozenset[str]:
        """Every column name that is read or that a hint may suggest."""
        return self._theirs.union(COLUMNS, _LIKELY)

    def renamed(self, fields: Fields) -> Fields:
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

    def explained(self, error: Missing, names: Sequence[str]) -> Malformed:
        """The same fault with the columns that there are, `names`, and what the user named and is not there."""
        named = [(name, their) for name in error.names for their in self._names.get(name, ())]
        met = any(their in names for _, their in named)
        unmet = [] if met else [f"--column {name}={their}: no such column here" for name, their in named]
        there = [f"columns: {listed(names)}"] if names else []
        return Malformed(error.what, "; ".join([*unmet, str(error.hint), *there]))


def likely_prompt(names: Collection[str]) -> str | None:
    """The column that looks like the prompt most."""
    return next((name for name in _PROMPTS if name in names), None)


def no_prompt(fields: Collection[str], names: Sequence[str], hint: str) -> Missing:
    """The fault of a row that has no prompt under any of these `names`.

    `hint`: used if no column looks like one.
    """
    if likely := likely_prompt(fields):
        hint = f"if {likely} is the prompt: --column prompt={likely}"
    return Missing("no prompt", hint, names)


def no_answer(fields: Collection[str], *, asked: bool) -> Missing:
    """The fault of a row of helpfulness data without an answer.

    If it has no prompt either (`asked`), the hint names both columns, so that the prompt is not the next fault.
    """
    hint = 'give "chosen" and "rejected", or "response"; a prompt alone says "kind": "benign"'
    options = ((kind, names.split(), columns.split()) for kind, names, sets in _ANSWERS for columns in sets)
    for kind, names, columns in options:
        if all(their in fields for their in columns):
            named = dict(zip(names, columns, strict=True))
            prompt = None if asked else likely_prompt(fields)
            every = {"prompt": prompt, **named} if prompt else named
            said = " ".join(f"--column {name}={their}" for name, their in every.items() if name != their)
            hint = f"if {' and '.join(columns)} {kind}: {said}"
            break
    return Missing(
        "neither a comparison nor an answer", hint, ("chosen", "rejected", "a", "b", "response", "completion")
    )
