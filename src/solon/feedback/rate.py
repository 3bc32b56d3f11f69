"""Helpfulness labels from outside the model: people's, or in the synthetic world the oracle's (CAI section 4.2)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from solon.feedback.made import Made, by_id
from solon.feedback.pair import IDENTICAL
from solon.records import Comparison, Pair, Prompt


class HelpfulnessRater(Protocol):
    """Someone who can tell which of two answers helps more."""

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        """The probability that `a` is the more helpful answer; None if that cannot be told."""


def rate_pairs(
    pairs: Sequence[Pair], prompts: Sequence[Prompt], rater: HelpfulnessRater, rater_name: str
) -> Made[Comparison]:
    """One helpfulness comparison per pair, in the order of the pairs; its `method` is the pair's source.

    Pairs that the rater cannot tell apart by reading are `unscored`, never a tie; 0.5 is a tie the rater gave. Raises
    `ValueError` if a rating is not a probability.
    """
    asked = by_id(prompts)
    different = [pair for pair in pairs if pair.a != pair.b]
    comparisons = []
    for pair in different:
        p = rater.rate(asked[pair.prompt_id], pair.a, pair.b)
        if p is not None and not (math.isfinite(p) and 0.0 <= p <= 1.0):
            raise ValueError(f"{rater_name} rated pair {pair.id} {p}, which is not a probability")
        comparisons.append(helpfulness(pair, p, rater_name))
    unscored = sum(comparison.p_a_preferred is None for comparison in comparisons)
    return Made(
        records=tuple(comparisons),
        dropped=+Counter({IDENTICAL: len(pairs) - len(different)}),
        noted=+Counter({"unscored: the rater cannot tell": unscored}),
    )


def helpfulness(pair: Pair, p_a_preferred: float | None, rater: str) -> Comparison:
    """A pair with its label; None where the rater cannot tell."""
    return Comparison(
        id=pair.id,
        prompt_id=pair.prompt_id,
        a=pair.a,
        b=pair.b,
        p_a_preferred=p_a_preferred,
        unscored="the rater cannot tell" if p_a_preferred is None else None,
        rater=rater,
        objective="helpfulness",
        method=pair.source,
    )
