"""What to say of a row that has no prompt or no answer: which of its columns look like one."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from solon.prompts.columns import LIKELY_ANSWERS, LIKELY_PROMPTS, Columns
from solon.prompts.faults import Malformed, Missing, listed

_ANSWERS = ("chosen", "rejected", "a", "b", "response", "completion")


def likely_prompt(names: Collection[str]) -> str | None:
    """The column that looks like the prompt most."""
    return next((name for name in LIKELY_PROMPTS if name in names), None)


def no_prompt(fields: Collection[str], names: Sequence[str], hint: str) -> Missing:
    """The fault of a row that has no prompt under any of these `names`.

    `hint`: what is said where no column looks like one.
    """
    if likely := likely_prompt(fields):
        hint = f"if {likely} is the prompt: --column prompt={likely}"
    return Missing("no prompt", hint, names)


def no_answer(fields: Collection[str], *, asked: bool) -> Missing:
    """The fault of a row of helpfulness data without an answer.

    If it is not `asked` anything either, the hint says both, lest the prompt be the next fault.
    """
    hint = 'give "chosen" and "rejected", or "response"'
    for kind, names in LIKELY_ANSWERS:
        if all(their in fields for their in names.values()):
            prompt = None if asked else likely_prompt(fields)
            options = {"prompt": prompt, **names} if prompt else names
            said = " ".join(f"--column {name}={their}" for name, their in options.items() if name != their)
            hint = f"if {' and '.join(names.values())} {kind}: {said}"
            break
    return Missing("neither a comparison nor an answer", hint, _ANSWERS)


def with_columns(error: Missing, names: Sequence[str], columns: Columns) -> Malformed:
    """The same fault with the columns that there are, and those that the user named and that are not there."""
    unmet = [f"--column {option}: no such column here" for option in columns.unmet(error.names, names)]
    there = [f"columns: {listed(names)}"] if names else []
    return Malformed(error.what, "; ".join([*unmet, str(error.hint), *there]))
