"""How alike the answers of a policy have become, by their words alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

from solon.evals.flaws import grams

OPENING = 4
"""Words of an opening. Assumption."""


def common_opening(texts: Sequence[str]) -> float:
    """The share of texts that begin with the commonest first four words.

    Example: "I can not help you", "i can not help him", "Sure, take a taxi home": 2 of 3 begin alike.
    """
    openings = Counter(tuple(text.casefold().split()[:OPENING]) for text in texts)
    return max(openings.values(), default=0) / max(1, len(texts))


def boilerplate(texts: Sequence[str], prompts: Sequence[Hashable]) -> float:
    """The mean over texts of the share of their different 4-grams of words that stand in an answer to another prompt.

    Example: "a b c d e" and "a b c d f", of two prompts: of two 4-grams each, one is in the other: 0.5. As answers to
    one prompt: 0.
    """
    own = [set(grams(text)) for text in texts]
    known = {(gram, prompt) for found, prompt in zip(own, prompts, strict=True) for gram in found}
    askers = Counter(gram for gram, _ in known)
    shares = [sum(askers[gram] > 1 for gram in found) / len(found) for found in own if found]
    return sum(shares) / max(1, len(shares))
