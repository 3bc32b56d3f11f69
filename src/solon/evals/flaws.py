"""What is wrong with a text as a text, whatever it says: noise, and echoes of what stood before it.

flaws of each text -> counts in its stage's manifest -> `TextQuality` -> console, report, and a stop before training
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Literal

Flaw = Literal["empty", "repeating", "off-format", "improbable", "unfinished"]
"""`unfinished`: cut off by the token limit. All others are noise."""
CRITIQUE_ECHO = "critiques that repeat the answer"
REVISION_ECHOES = tuple(f"revisions that repeat {what}" for what in ("their critique", "their request", "the prompt"))
UNCHANGED = "revisions that change nothing"

REPEATING = 0.2
"""A text repeats itself if more of its 4-grams have stood in it before. Measured: of the answers that people preferred
in hh-rlhf, 1 of 300 does. Welleck et al. (2020, arXiv 1908.04319, table 2): people's texts 0.005, greedy ones 0.44."""
IMPROBABLE = -3.0
"""Nats per token below which a text is improbable to the model that drew it. Measured: word salad of a model of 135
million weights at temperature 1 has -3.5, texts of the embedded model -0.45 (docs/log.md). Below temperature 1 the
distribution is narrower, and little is improbable under it."""
ECHO = 0.3
"""A revision echoes what stood before it if so many of its 4-grams are of that and not of the answer. Measured: of the
world's revisions none does (docs/log.md)."""
QUOTED = 0.7
"""A critique echoes the answer if so many of its 4-grams are of it. Measured: in the world, where critiques quote the
words at fault, up to 0.6."""
SAME = 0.9
"""A revision changes nothing if it and the answer have so many of their 4-grams in common. Assumption."""

_WORD = re.compile(r"\w+|[^\w\s]")
_SPEAKS = re.compile(
    r"(?im)^\W*(?:(?:the|an?) )?(human|user|assistant|(critique|revision) ?request|critique|revision)\W{0,2}:"
)
"""A line that begins as a turn does."""


# Of one text.


def repeated_share(text: str) -> float:
    """The share of its 4-grams of words that have stood in it before (seq-rep-4 of Welleck et al.). Example: of the
    five in "a b c d a b c d", one has: 0.2."""
    found = grams(text)
    return 1.0 - len(set(found)) / len(found) if found else 0.0


def share_of(text: str, source: str, *, but: str = "") -> float:
    """The share of the text's 4-grams that stand in `source` and not in `but` (containment of Broder, 1997). Example:
    three of the five in "a b c d e f g h" stand in "a b c d e f": 0.6."""
    own = set(grams(text))
    return len((own & set(grams(source))) - set(grams(but))) / len(own) if own else 0.0


def resemblance(one: str, other: str) -> float:
    """4-grams that both have, as a share of those that either has (Broder, 1997)."""
    first, second = set(grams(one)), set(grams(other))
    return len(first & second) / len(first | second) if first | second else 1.0


def off_format(text: str, guard: Callable[[str], str]) -> bool:
    """Whether a mark of the dialogue format stands in it, a line begins another turn, or it has no letter and no digit.

    guard: breaks up the marks of the format (`prompting.guard.Guard`).
    """
    return guard(text) != text or _SPEAKS.search(text) is not None or not any(map(str.isalnum, text))


def flaws(text: str, *, finished: bool, logprobs: Sequence[float], guard: Callable[[str], str]) -> list[Flaw]:
    """What is wrong with a text that a model wrote. `logprobs`: of its tokens, in nats; none if they are not known."""
    found: dict[Flaw, bool] = {
        "empty": not text,
        "repeating": repeated_share(text) > REPEATING,
        "off-format": bool(text) and off_format(text, guard),
        "improbable": bool(logprobs) and math.fsum(logprobs) / len(logprobs) < IMPROBABLE,
        "unfinished": bool(text) and not finished,
    }
    return [flaw for flaw, has in found.items() if has]


def critique_echo(critique: str, answer: str) -> str | None:
    """How its stage counts what a critique repeats, if it does."""
    return CRITIQUE_ECHO if share_of(critique, answer) >= QUOTED else None


def revision_echo(revision: str, *, answer: str, critique: str, request: str, prompt: str) -> str | None:
    """How its stage counts what a revision repeats, if it does. `request`: all that it was asked with, but for the
    dialogue and the critique."""
    if resemblance(revision, answer) >= SAME:
        return UNCHANGED
    shares = [share_of(revision, source, but=answer) for source in (critique, request, prompt)]
    most = max(shares)
    return REVISION_ECHOES[shares.index(most)] if most >= ECHO else None


def grams(text: str, size: int = 4) -> list[tuple[str, ...]]:
    """The runs of `size` words and marks, without case; of a text with fewer, all of it."""
    words = _WORD.findall(text.casefold())
    return [tuple(words[start : start + size]) for start in range(max(len(words) - size + 1, min(len(words), 1)))]
