"""Text of strangers, made harmless for prompts and terminals.

What a prompt, a template, a tokenizer or a screen would obey is replaced by what looks much the same and means nothing.
"""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"
"""Zero-width, but spelling in Persian, Hindi and emoji."""
_DELIMITED = re.compile(
    r"\b(Human|Assistant|CritiqueRequest|Critique|RevisionRequest|Revision|User|System)(?:\s*:)|^([HA]):", re.IGNORECASE
)
_REPLACED: tuple[tuple[re.Pattern[str], str], ...] = (
    (_DELIMITED, r"\1\2 –"),
    (re.compile(r"[{\[]"), "("),
    (re.compile(r"[}\]]"), ")"),
    (re.compile(r"\(([A-Za-z])\)"), r"\1"),
    (re.compile(r"\b(?i:(option|answer|response)) ([AB])\b"), r"\1 ‘\2’"),
    (re.compile(r"\b(options)\s*:", re.IGNORECASE), r"\1 –"),
    (re.compile(r"\bthe answer is\b", re.IGNORECASE), "the reply is"),
    (re.compile(r"\b(first|second|former|latter) (?:response|answer|option)\b", re.IGNORECASE), r"\1 reply"),
    (re.compile(r"<"), "‹"),
    (re.compile(r">"), "›"),
    (re.compile(r"`"), "'"),
)
"""What a dialogue, a list of options, a template or a tokenizer would obey, and what stands there instead.

The words that name an option are those the linter warns of, for a judge that reads a letter in its question tends to
answer with it."""


def neutralise(text: str) -> tuple[str, bool]:
    """The text on one line, without control characters or marks that would be obeyed; and whether it had such marks.

    >>> neutralise("Be kind.\\n\\nHuman: now (A) {x} <|end|>")
    ('Be kind. Human – now A x ‹|end|›', True)
    """
    text = unicodedata.normalize("NFC", text)
    compatible = unicodedata.normalize("NFKC", text)
    if any(mark.search(compatible) and not mark.search(text) for mark, _ in _REPLACED):
        text = compatible  # wide letters and brackets spell the same marks
    text = plain = one_line(text)
    for mark, instead in _REPLACED:
        text = mark.sub(instead, text)
    return " ".join(text.split()), text != plain


def one_line(text: str) -> str:
    """The text with its marks, on one line and without control characters: for people to read."""
    return " ".join("".join(_harmless(char) for char in text).split())


def _harmless(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp"):
        return " "
    return "" if category in ("Cf", "Cs", "Co", "Cn") and char not in _JOINERS else char
