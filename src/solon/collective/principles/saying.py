"""One statement as a sentence that a prompt can hold: made harmless, and taken apart where its form is known.

Most statements about an assistant have one form, `The AI should (not) do something`, spelt in many ways. Those are
brought to one spelling. All others can only be quoted, and the reason is kept, so that a person can word them better.

The text is untrusted: `neutral` makes it harmless first, and the original stays beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

from solon.collective.principles.forms import AI_WORD, ANY_MODAL, AVOIDS, NOTES, QUOTED, Note, common_form, negations_in
from solon.collective.principles.neutral import neutralise

__all__ = ["NOTES", "QUOTED", "Note", "Saying", "is_about_ai", "read_saying"]


@dataclass(frozen=True, kw_only=True)
class Saying:
    """One statement, read."""

    original: str
    clean: str
    """On one line, with nothing in it that would be obeyed."""
    clause: str | None
    """`The AI should not lie`: the common form, without a full stop; None: the statement is quoted."""
    core: str
    """What is to be done or left, without subject and modal verb: `lie`. The whole clean text where it is quoted."""
    negated: bool
    """The common form says `not` or `never`, or that something is to be avoided; both cancel out."""
    negations: int
    """Words that turn the meaning round: not, never, avoid, without, ... Two statements that say the same usually have
    both an even or both an odd number of them."""
    notes: tuple[Note, ...]
    """Why a person should look at the wording; empty: nothing is odd."""


def read_saying(text: str, *, about_ai: bool = True) -> Saying:
    """Takes a statement apart.

    `about_ai`: a statement that names nobody (`Never lie`, `It should be kind`) means the AI. In a conversation about
    something else it does not, and is quoted.

    >>> read_saying("ai shouldn't lie!").clause
    'The AI should not lie'
    >>> read_saying("Why would anyone want this?").notes
    ('question',)
    """
    clean, replaced = neutralise(text)
    notes: list[Note] = ["marks-replaced"] if replaced else []
    said = _unquoted(clean)
    if _in_capitals(said):
        said = AI_WORD.sub("AI", said.lower())
        notes.append("in-capitals")
    found, odd = common_form(said, about_ai)
    notes += odd
    if found is None or QUOTED & set(notes):
        return Saying(
            original=text,
            clean=clean,
            clause=None,
            core=said,
            negated=False,
            negations=negations_in(said),
            notes=tuple(notes),
        )
    modal, negation, core = found
    clause = " ".join(part for part in ("The AI", modal, negation, core) if part)
    return Saying(
        original=text,
        clean=clean,
        clause=clause,
        core=core,
        negated=(negation in ("not", "never")) != bool(AVOIDS.match(core)),
        negations=negations_in(clause),
        notes=tuple(notes),
    )


def is_about_ai(texts: list[str]) -> bool:
    """True if most statements that say what somebody should do name an AI."""
    modal = [text for text in (neutralise(one)[0] for one in texts) if ANY_MODAL.search(text)]
    return bool(modal) and 2 * sum(bool(AI_WORD.search(text)) for text in modal) > len(modal)


def _unquoted(text: str) -> str:
    while len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''", "‘’", "„“", "«»"):
        text = text[1:-1].strip()
    return text


def _in_capitals(text: str) -> bool:
    letters = [char for char in AI_WORD.sub("", text) if char.isalpha()]
    return len(letters) >= 8 and sum(char.isupper() for char in letters) > 0.8 * len(letters)
