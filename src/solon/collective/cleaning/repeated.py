"""Statements that are word by word the same, but for spelling. Whoever means the same in other words is not here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONG_WORD = 7
"""Letters from which on a word with one wrong letter is taken for a misspelling. In shorter words one letter often
makes another word: adapt and adopt, legal and regal. Assumption."""


def normalized(text: str) -> str:
    """Text without case, accents of compatibility, punctuation and spaces that do not matter.

    >>> normalized("AI should  be *safe* – don't you think?")
    'ai should be safe dont you think'
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = re.sub(r"['’ʼ`]", "", text)
    # Signs of arithmetic and comparison change what a sentence says; other punctuation does not.
    return " ".join(re.sub(r"[^\w%+<>=€$£-]|_|(?<!\d)-|-(?!\d)", " ", text).split())


def repeated_statements(statements: Sequence[tuple[int, str]], *, edits: int = 1) -> list[list[int]]:
    """Groups of ids whose texts repeat one another, each of two or more, in ascending order.

    `edits`: words that may differ by one letter (added, missing, exchanged or swapped with its neighbour). Only long
    words may, with the same first and last letter and without digits, so that no word becomes its opposite. Texts
    without a word repeat nothing.
    """
    head_of: dict[str, int] = {}
    """By text, the first statement that says the same."""
    by_shape: dict[tuple[str, ...], list[tuple[int, list[str]]]] = {}
    groups: dict[int, list[int]] = {}
    for one, text in sorted(statements):
        plain = normalized(text)
        if not plain:
            continue
        if plain not in head_of:
            words = plain.split()
            alike = by_shape.setdefault(tuple(map(_shape, words)), [])
            head_of[plain] = next((other for other, known in alike if _misspelled(words, known, edits)), one)
            if head_of[plain] == one:
                alike.append((one, words))
        groups.setdefault(head_of[plain], []).append(one)
    return sorted(group for group in groups.values() if len(group) > 1)


def _shape(word: str) -> str:
    """Texts are compared that agree in their short words and in the ends of their long ones."""
    return f"{word[0]}…{word[-1]}" if len(word) >= LONG_WORD - 1 and word.isalpha() else word


def _misspelled(words: Sequence[str], known: Sequence[str], edits: int) -> bool:
    different = [(a, b) for a, b in zip(words, known, strict=True) if a != b]
    return len(different) <= edits and all(one_letter_apart(a, b) for a, b in different)


def one_letter_apart(a: str, b: str) -> bool:
    """Do two words differ by one letter: added, missing, exchanged, or swapped with its neighbour?

    >>> one_letter_apart("government", "goverment"), one_letter_apart("government", "governor")
    (True, False)
    """
    if a == b or max(len(a), len(b)) < LONG_WORD or a[0] != b[0] or a[-1] != b[-1]:
        return False
    start = next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    if len(a) == len(b):
        swapped = a[start : start + 2] == b[start : start + 2][::-1]
        return a[start + 1 :] == b[start + 1 :] or (swapped and a[start + 2 :] == b[start + 2 :])
    short, long = sorted((a, b), key=len)
    return len(long) - len(short) == 1 and short[start:] == long[start + 1 :]
