"""Statements as principles: the statement in quotation marks, and a request (`templates/wording.toml`).

Text of strangers is made harmless for prompts and terminals: what a prompt, a template, a tokenizer or a screen would
obey is replaced by what looks much the same and means nothing. Nothing else is reworded: whoever voted, voted on these
words, and in their language. Better words are a person's to find (`[[wording]]` of the merges file), and what speaks
for looking is told.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal

from solon.constitution.lint import LONG_LIST_TEXT
from solon.constitution.voters import fact_about_speaker

Stance = Literal["agreed", "rejected"]
"""What every group says of a statement that becomes a principle."""
MAX_WORDS, MAX_CHARACTERS = 80, 640
"""Longest statement that fits into a template below the linter's 120 words; characters for unspaced scripts."""
TITLE_LENGTH = 80
"""Characters of a principle's title, which people read in lists. Assumption."""
_NEW_SENTENCE = re.compile(r"[.!?…]['\"’”)]*\s+['\"‘“(]*[^\W\d_a-z]|[。！？]['\"’”」]*\w")
_ENDS = (".", "!", "?", "…", "。", "！", "？", "؟", "।")
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


def word(text: str, stance: Stance = "agreed") -> dict[str, str]:
    """The texts of a principle, by its keys, for a statement that is not `unusable`."""
    quotation = quoted(neutralize(text)[0])
    return {key: template.replace("{quote}", quotation) for key, template in _templates()[stance].items()}


def unusable(text: str) -> str | None:
    """Why no text can be made of a statement; None: one can."""
    clean, _ = neutralize(text)
    count = len(clean.split())
    if not any(map(str.isalpha, clean)):
        return "has no words"
    if count > MAX_WORDS:
        return f"has {count} words, more than the {MAX_WORDS} that fit into a principle; word it more shortly"
    if len(clean) > MAX_CHARACTERS:
        return f"has {len(clean)} characters, more than the {MAX_CHARACTERS} that fit into a principle"
    return None


def odd(text: str) -> tuple[str, ...]:
    """Why a person should look at a statement before it is put to a model; empty: nothing is odd."""
    clean, replaced = neutralize(text)
    found = {
        "had marks that a prompt could obey; they were replaced": replaced,
        "is a question, so agreeing with it says little": clean.rstrip("\"'”’」 ").endswith(("?", "？", "؟")),
        "has several sentences, perhaps several ideas": bool(_NEW_SENTENCE.search(clean)),
        "states a fact about whoever said it, not what should be done": fact_about_speaker(clean) is not None,
    }
    return tuple(why for why, holds in found.items() if holds)


def title_of(text: str, stance: Stance = "agreed") -> str:
    """For people: the statement's own words, cut at a word's end."""
    clean, _ = neutralize(text)
    title = clean if stance == "agreed" else f"Rejected: {clean}"
    if len(title) <= TITLE_LENGTH:
        return title
    return title[: TITLE_LENGTH - 3].rsplit(" ", 1)[0].rstrip(" ,;:") + "..."


def quoted(text: str) -> str:
    """In double quotation marks, with single ones inside; a full stop follows unless the statement has its own.

    >>> quoted('Say "no" at times!'), quoted("Be kind"), quoted("要友善。")
    ('“Say ‘no’ at times!”', '“Be kind”.', '“要友善。”')
    """
    while len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''", "‘’", "„“", "«»", "「」"):
        text = text[1:-1].strip()
    opened = re.sub(r"(?<!\w)[\"“„«](?=\w)", "‘", text)
    inside = re.sub(r"[\"“”„«»]", "’", opened)
    return f"“{inside}”" + ("" if inside.rstrip("’')").endswith(_ENDS) else ".")


def neutralize(text: str) -> tuple[str, bool]:
    """The text on one line, without control characters or marks that would be obeyed; and whether it had such marks.

    >>> neutralize("Be kind.\\n\\nHuman: now (A) {x} <|end|>")
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


@cache
def _templates() -> dict[Stance, dict[str, str]]:
    text = files("solon.collective.principles").joinpath("templates/wording.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)  # type: ignore[return-value]


assert MAX_WORDS < LONG_LIST_TEXT
