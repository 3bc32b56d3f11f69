"""The texts of the published CAI files, taken apart (file names and shapes: see `importer`).

All of them carry delimiters; here they are stripped off, because whoever renders a text puts its delimiters on. A text
that is not in the published form raises ValueError saying what was expected, so that half a sentence is never imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import ValidationError

from solon.constitution.few_shots import ComparisonShot, CritiqueShot, ReasoningShot
from solon.records import Turn

_CRITIQUE_REQUEST = re.compile(r"\s*CritiqueRequest:(.*)\n\s*Critique:\s*", re.DOTALL)
_REVISION_REQUEST = re.compile(r"\s*RevisionRequest:(.*)\n\s*Revision:\s*", re.DOTALL)
_QUESTION = re.compile(r"(.*)\bOptions:\s*", re.DOTALL)
_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant|CritiqueRequest|Critique|RevisionRequest|Revision):")
_INNER_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(H|A):")
_TRAIL = ["CritiqueRequest", "Critique", "RevisionRequest", "Revision"]
SLOT = "{}"
"""Where a chain-of-thought example leaves room for the principle."""


def critique_request(text: str) -> str:
    """`CritiqueRequest: ... Critique:` without its delimiters."""
    return _between(_CRITIQUE_REQUEST, text, "CritiqueRequest: ... Critique:")


def revision_request(text: str) -> str:
    """`RevisionRequest: ... Revision:` without its delimiters."""
    return _between(_REVISION_REQUEST, text, "RevisionRequest: ... Revision:")


def comparison_question(text: str) -> str:
    """A question without the `Options:` that leads to its options."""
    return _between(_QUESTION, text, "a question that ends with `Options:`")


def _between(pattern: re.Pattern[str], text: str, form: str) -> str:
    found = pattern.fullmatch(text)
    if not found or not found[1].strip():
        raise ValueError(f"is not in the form `{form}`" if form[0].isupper() else f"is not {form}")
    return found[1].strip()


def critique_shot(text: str) -> CritiqueShot:
    """A dialogue, a critique and a revision; the `Human:` that leads to the next example is dropped."""
    parts = _parts(_SPEAKER, text)
    if parts and parts[-1] == ("Human", ""):
        parts.pop()
    names = [name for name, _ in parts]
    if names[-4:] != _TRAIL or names[-5:-4] != ["Assistant"]:
        raise ValueError(
            "is not a dialogue that ends with the assistant, followed by CritiqueRequest, Critique, RevisionRequest, "
            f"Revision; it has {', '.join(names) or 'no turns'}"
        )
    asked, critique, wanted, revision = (words for _, words in parts[-4:])
    turns = _turns(parts[:-5])
    try:
        return CritiqueShot(
            turns=turns,
            answer=parts[-5][1],
            critique_request=asked,
            critique=critique,
            revision_request=wanted,
            revision=revision,
        )
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None


def comparison_shot(prompt: str, *, better: str, worse: str) -> ComparisonShot:
    """A dialogue up to `Assistant:`, and two answers to it."""
    parts = _parts(_SPEAKER, prompt)
    if not parts or parts[-1] != ("Assistant", ""):
        raise ValueError("is not a dialogue that ends with `Assistant:`")
    try:
        return ComparisonShot(turns=_turns(parts[:-1]), better=better, worse=worse)
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None


def reasoning_shot(text: str) -> ReasoningShot:
    """A comparison, the reasoning about it step by step, and the verdict in a turn of its own."""
    rest = text
    pieces: list[str] = []
    for mark in ("Human:", "\n\nH:", "\n (A) [[[", "]]]\n (B) [[[", "]]]\n\nAssistant:", "\n\nHuman:"):
        before, found, rest = rest.partition(mark)
        if not found:
            raise ValueError(f"lacks `{mark.strip()}` where it is due")
        pieces.append(before)
    before, lead, asked, first, second, thought = pieces
    if before.strip() or "\n\n" in lead:
        raise ValueError("has more than one line before the first `H:`")
    dialogue, _, slot = ("H:" + asked).rpartition("\n\n")
    if not dialogue:
        raise ValueError(f"has no line with the question, or `{SLOT}` in its place, before the options")
    verdict = re.fullmatch(r"\s*So the answer is: \(([AB])\)\s*", rest)
    if not verdict:
        raise ValueError(f"ends with {rest.strip()[:60]!r}, not with `So the answer is: (A)` or `(B)`")
    opening, _, rationale = thought.partition("step by step:")
    try:
        return ReasoningShot(
            turns=_turns([({"H": "Human", "A": "Assistant"}[name], words) for name, words in _inner(dialogue)]),
            first=first,
            second=second,
            question=None if slot.strip() == SLOT else comparison_question(slot),
            rationale=rationale or opening,
            answer="A" if verdict[1] == "A" else "B",
        )
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from None


def _inner(dialogue: str) -> list[tuple[str, str]]:
    return _parts(_INNER_SPEAKER, dialogue)


def _parts(speaker: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """(speaker, words) of each turn; text before the first speaker is a fault."""
    pieces = speaker.split(text)
    if pieces[0].strip():
        raise ValueError(f"begins with {pieces[0].strip()[:60]!r}, not with a speaker such as `Human:`")
    return [(name, words.strip()) for name, words in zip(pieces[1::2], pieces[2::2], strict=True)]


def _turns(parts: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    for name, _ in parts:
        if name not in ("Human", "Assistant"):
            raise ValueError(f"has `{name}:` within the dialogue")
    return tuple(Turn(role="human" if name == "Human" else "assistant", text=words) for name, words in parts)


def _first_problem(error: ValidationError) -> str:
    detail = error.errors(include_url=False)[0]
    return f"`{detail['loc'][0]}`: {detail['msg'].removeprefix('Value error, ')}"
