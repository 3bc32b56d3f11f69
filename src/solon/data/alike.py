"""Texts that say nearly the same, word by word."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

ALIKE = 0.7
"""Two texts whose pairs of words are alike to this share (Jaccard) are near-duplicates. Assumption: "How do I steal a
car?" and "How do I steal a bike?" (4/6) stay two; one with a word more at its end (5/6) does not."""


def same_words(text: str) -> str:
    """The words of a text without letter case, marks and spacing: equal exactly for duplicates."""
    return " ".join(re.findall(r"\w+", text.lower()))


def pairs_of_words(text: str) -> frozenset[str]:
    """The pairs of neighboring words; of a single word, the word."""
    words = same_words(text).split()
    return frozenset(" ".join(pair) for pair in pairwise(words)) or frozenset(words)


class Texts:
    """A growing collection, of which any text that is alike to another is found without a look at each.

    Two sets of which `ALIKE` is shared share one of the first few members of either, in any fixed order. So only those
    few are indexed; long pairs of words come first, because they are rare.
    """

    def __init__(self) -> None:
        self._sets: list[frozenset[str]] = []
        self._with: defaultdict[str, list[int]] = defaultdict(list)
        """Numbers of texts by what is indexed of them."""
        self._words: set[str] = set()

    def add(self, text: str) -> None:
        pairs = pairs_of_words(text)
        for pair in _first(pairs):
            self._with[pair].append(len(self._sets))
        self._sets.append(pairs)
        self._words.add(same_words(text))

    def has(self, text: str) -> bool:
        """Is there a text of the same words?"""
        return same_words(text) in self._words

    def has_alike(self, text: str) -> bool:
        """Is there a near-duplicate?"""
        return next(self.alike(text), None) is not None

    def alike(self, text: str) -> Iterator[tuple[int, float]]:
        """The near-duplicates: number, in the order of adding, and share of pairs of words in common."""
        pairs = pairs_of_words(text)
        near = {number for pair in _first(pairs) for number in self._with.get(pair, ())}
        for number in sorted(near):
            shared, either = len(pairs & self._sets[number]), len(pairs | self._sets[number])
            if shared >= ALIKE * either:
                yield number, shared / either


def _first(pairs: frozenset[str]) -> list[str]:
    """Those that two near-duplicates must share one of: all but as many as may differ, and one."""
    spared = math.ceil(ALIKE * len(pairs)) - 1
    return sorted(pairs, key=lambda pair: (-len(pair), pair))[: len(pairs) - spared]
