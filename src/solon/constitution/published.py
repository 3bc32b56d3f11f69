"""The texts of the published CAI files, taken apart (file names and shapes: see `importer`).

All of them carry delimiters; here they are stripped off, because whoever renders a text puts its delimiters on. A text
that is not in the published form raises ValueError saying what was expected, so that half a sentence is never imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from solon.constitution.few_shots import ComparisonShot, CritiqueShot, ReasoningShot
from solon.records import Turn

_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant|CritiqueRequest|Critique|RevisionRequest|Revision):")
_INNER_SPEAKER = re.compile(r"(?:\A\s*|\n\n)(H|A):")
_TRAIL = ["CritiqueRequest", "Critique", "RevisionRequest", "Revision"]
_SLOT = "{}"
"""Where a chain-of-thought example leaves room for the principle."""


def request(kind: str, text: str) -> str:
    """`CritiqueRequest: ... Critique:`, or the same of another `kind`, without its delimiters."""
    form = f"in the form `{kind}Request: ... {kind}:`"
    return _between(rf"\s*{kind}Request:(.*)\n\s*{kind}:\s*", text, form)


def comparison_question(text: str) -> str:
    """A question without the `Options:` that leads to its options."""
    return _between(r"(.*)\bOptions:\s*", text, "a question that ends with `Options:`")


def _between(pattern: str, text: str, form: str) -> str:
    found = re.fullmatch(pattern, text, re.DOTALL)
    if not found or not found[1].strip():
        raise ValueError(f"is not {form}")
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
    answer, asked, critique, wanted, revision = (words for _, words in parts[-5:])
    return CritiqueShot(
        turns=_turns(parts[:-5]),
        answer=answer,
        critique_request=asked,
        critique=critique,
        revision_request=wanted,
        revision=revision,
    )


def comparison_shot(prompt: str, *, better: str, worse: str) -> ComparisonShot:
    """A dialogue up to `Assistant:`, and two answers to it."""
    parts = _parts(_SPEAKER, prompt)
    if not parts or parts[-1] != ("Assistant", ""):
        raise ValueError("is not a dialogue that ends with `Assistant:`")
    return ComparisonShot(turns=_turns(parts[:-1]), better=better, worse=worse)


def reasoning_shot(text: str) -> ReasoningShot:
    """A comparison, the reasoning about it step by step, and the verdict in a turn of its own."""
    rest = text
    pieces: list[str] = []
    for mark in ("Human:", "\n\nH:", "\n (A) [[[", "]]]\n (B) [[[", "]]]\n\nAssistant:", "\n\nHuman:"):
        before, found, rest = rest.partition(mark)
        if not found:
            raise ValueError(f"lacks `{mark.strip()}` where it must stand")
        pieces.append(before)
    before, lead, asked, first, second, thought = pieces
    if before.strip() or "\n\n" in lead:
        raise ValueError("has more than one line before the first `H:`")
    dialogue, _, slot = ("H:" + asked).rpartition("\n\n")
    if not dialogue:
        raise ValueError(f"has no line with the question, or `{_SLOT}` in its place, before the options")
    verdict = re.fullmatch(r"\s*So the answer is: \(([AB])\)\s*", rest)
    if not verdict:
        raise ValueError(f"ends with {rest.strip()[:60]!r}, not with `So the answer is: (A)` or `(B)`")
    opening, _, rationale = thought.partition("step by step:")
    return ReasoningShot(
        turns=_turns(_parts(_INNER_SPEAKER, dialogue)),
        first=first,
        second=second,
        question=None if slot.strip() == _SLOT else comparison_question(slot),
        rationale=rationale or opening,
        answer="A" if verdict[1] == "A" else "B",
    )


def _parts(speaker: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """(speaker, words) of each turn; text before the first speaker is a fault."""
    pieces = speaker.split(text)
    if pieces[0].strip():
        raise ValueError(f"begins with {pieces[0].strip()[:60]!r}, not with a speaker such as `Human:`")
    return [(name, words.strip()) for name, words in zip(pieces[1::2], pieces[2::2], strict=True)]


def _turns(parts: Sequence[tuple[str, str]]) -> tuple[Turn, ...]:
    for name, _ in parts:
        if name in _TRAIL:
            raise ValueError(f"has `{name}:` within the dialogue")
    return tuple(Turn(role="human" if name[0] == "H" else "assistant", text=words) for name, words in parts)
