"""How good the AI's labels are, measured against whoever knows which answer is truly better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from solon.evals.calibration import Calibration, calibration, credit
from solon.evals.statistics import Mean, Rate, mean, wilson
from solon.records import Comparison, Record

Better = Literal["a", "b", "tie"]
"""Which answer is truly better under the comparison's principle."""

Truth = Callable[[Comparison], Better | None]
"""Passed in, so that this package never knows the world. None where nobody can say."""


class PositionBias(Record):
    """Does the judge favour the answer it is shown first? Labels averaged over both orders are left out."""

    n: int
    p_first: float
    """Mean probability given to the answer shown first."""
    excess: Mean
    """The same minus what it should be, in [-1, 1]: 1 where the first answer is truly better, 0 where the second is,
    0.5 for ties and where nobody knows (the order is random, so an unbiased judge gives 0.5 on average)."""


class PrincipleLabels(Record):
    """Labels made under one principle."""

    n: int
    """Scored labels."""
    ties: int
    accuracy: Rate | None
    """On non-ties; null where there are none."""


class Labels(Record):
    """Quality of the AI's labels. `n` = scored + unscored; among the scored, ties are set apart."""

    n: int
    """Comparisons asked of the judge."""
    unscored: int
    """Answers that could not be read as a verdict."""
    unscored_reasons: dict[str, int]
    ties: int
    """Scored pairs in which neither answer is truly better; 0 where nobody knows."""
    unknown: int
    """Scored pairs of which nobody knows which answer is better."""
    accuracy: Rate | None
    """Share of non-ties whose preferred answer is truly the better; a label of exactly 0.5 counts one half."""
    ece: float | None
    """Expected calibration error on non-ties, see `calibration`."""
    confidence: float | None
    """Mean of max(p, 1 - p) over scored labels."""
    tie_confidence: float | None
    """The same over ties, where 0.5 would be right."""
    calibration: Calibration | None
    position: PositionBias | None
    principles: dict[str, PrincipleLabels]


def _confidence(rows: Sequence[tuple[float, Better | None]]) -> float | None:
    return sum(max(p, 1.0 - p) for p, _ in rows) / len(rows) if rows else None


def _accuracy(rows: Sequence[tuple[float, Better | None]]) -> Rate | None:
    decided = [(p, better == "a") for p, better in rows if better in ("a", "b")]
    return wilson(sum(credit(p, a) for p, a in decided), len(decided)) if decided else None


def position_bias(comparisons: Sequence[Comparison], truths: Sequence[Better | None]) -> PositionBias | None:
    """Example: label 0.8 for a, shown second, b truly better: p_first 0.2, should be 1, excess -0.8."""
    p_first, excess = [], []
    for comparison, better in zip(comparisons, truths, strict=True):
        if comparison.p_a_preferred is None or comparison.shown_first == "both":
            continue
        first_is_a = comparison.shown_first == "a"
        p = comparison.p_a_preferred if first_is_a else 1.0 - comparison.p_a_preferred
        should = 0.5 if better in (None, "tie") else float((better == "a") == first_is_a)
        p_first.append(p)
        excess.append(p - should)
    if not p_first:
        return None
    return PositionBias(n=len(p_first), p_first=sum(p_first) / len(p_first), excess=mean(excess))


def label_quality(comparisons: Sequence[Comparison], truth: Truth | None) -> Labels:
    """Quality of the model's labels; comparisons by other raters (humans, the oracle) are left out, being the standard.

    Example: labels for a of 0.9, 0.3, 0.6 and one unreadable; truths a, a, tie: n 4, unscored 1, ties 1, accuracy 1/2.
    """
    own = [row for row in comparisons if row.rater == "model"]
    scored = [row for row in own if row.p_a_preferred is not None]
    truths = [truth(row) if truth else None for row in scored]
    rows = [(row.p_a_preferred or 0.0, better) for row, better in zip(scored, truths, strict=True)]
    decided = [(p, better == "a") for p, better in rows if better in ("a", "b")]
    measured = calibration([p for p, _ in decided], [a for _, a in decided]) if decided else None
    ties = [row for row in rows if row[1] == "tie"]
    reasons = Counter(row.unscored for row in own if row.unscored is not None)
    names = sorted({row.principle_id for row in scored if row.principle_id is not None})
    principles = {}
    for name in names:
        under = [pair for row, pair in zip(scored, rows, strict=True) if row.principle_id == name]
        count = sum(1 for _, better in under if better == "tie")
        principles[name] = PrincipleLabels(n=len(under), ties=count, accuracy=_accuracy(under))
    return Labels(
        n=len(own),
        unscored=len(own) - len(scored),
        unscored_reasons=dict(sorted(reasons.items())),
        ties=len(ties),
        unknown=sum(1 for _, better in rows if better is None),
        accuracy=_accuracy(rows),
        ece=measured.ece if measured else None,
        confidence=_confidence(rows),
        tie_confidence=_confidence(ties),
        calibration=measured,
        position=position_bias(scored, truths),
        principles=principles,
    )
