"""Statements that are word by word the same, but for spelling. Whoever means the same in other words is not here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONG_WORD = 7
"""Letters from which on a word with one wrong letter is taken for a misspelling. In shorter words one letter often
makes another word: adapt and adopt, legal and regal. Assumption."""


def normalised(text: str) -> str:
    """Text without case, accents of compatibility, punctuation and spaces that do not matter.

    >>> normalised("AI should  be *safe* – don't you think?")
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
    first: dict[str, int] = {}
    leader: dict[int, int] = {}
    by_gap: dict[tuple[str, ...], list[tuple[int, tuple[str, ...]]]] = {}
    for one, text in sorted(statements):
        plain = normalised(text)
        if not plain:
            continue
        leader[one] = leader[first[plain]] if plain in first else one
        if plain in first:
            continue
        first[plain] = one
        if edits:
            _join_misspelt(one, tuple(plain.split()), by_gap, leader, edits)
    groups: dict[int, list[int]] = {}
    for one, head in leader.items():
        groups.setdefault(leader_of(leader, head), []).append(one)
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def _join_misspelt(
    one: int,
    words: tuple[str, ...],
    by_gap: dict[tuple[str, ...], list[tuple[int, tuple[str, ...]]]],
    leader: dict[int, int],
    edits: int,
) -> None:
    """Texts are compared that agree in their short words and in the ends of their long ones."""
    key = tuple(f"{word[0]}…{word[-1]}" if _may_be_misspelt(word) else word for word in words)
    for other, known in by_gap.setdefault(key, []):
        different = [(a, b) for a, b in zip(words, known, strict=True) if a != b]
        if len(different) <= edits and all(one_letter_apart(a, b) for a, b in different):
            leader[one] = other
            return
    by_gap[key].append((one, words))


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= LONG_WORD - 1 and word.isalpha()


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


def leader_of(leader: dict[int, int], one: int) -> int:
    """Who stands first of those that `one` was joined with; `leader` has for each whom it was joined to, or itself."""
    while leader[one] != one:
        leader[one] = leader[leader[one]]  # shorter for whoever asks next
        one = leader[one]
    return one
