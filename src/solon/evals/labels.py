"""How good the AI's labels are, measured against the ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from solon.evals.calibration import Calibration, accuracy, calibration
from solon.evals.statistics import Mean, Rate, mean
from solon.records import Comparison, Record

Better = Literal["a", "b", "tie"]
"""Which answer is truly better under the comparison's principle."""

Truth = Callable[[Comparison], Better | None]
"""Passed in, so that this package never knows the world. None where there is no ground truth."""


class PositionBias(Record):
    """Does the judge favour the answer it is shown first? Labels averaged over both orders are left out."""

    n: int
    p_first: float
    """Mean probability given to the answer shown first."""
    excess: Mean
    """The same minus what it should be, in [-1, 1]: 1 where the first answer is truly better, 0 where the second is,
    0.5 for ties and without ground truth (the order is random, so an unbiased judge gives 0.5 on average)."""


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
    """Comparisons that the judge was asked for."""
    unscored: int
    """Answers that could not be read as a verdict."""
    unscored_reasons: dict[str, int]
    ties: int
    """Scored pairs in which neither answer is truly better; 0 without ground truth."""
    unknown: int
    """Scored pairs without ground truth."""
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


Labelled = tuple[float, Better | None]
"""A label, the probability that `a` is better, and the truth."""


def _confidence(rows: Sequence[Labelled]) -> float | None:
    return sum(max(p, 1.0 - p) for p, _ in rows) / len(rows) if rows else None


def _decided(rows: Sequence[Labelled]) -> list[tuple[float, bool]]:
    """Labels of pairs in which one answer is truly better, and whether it is `a`."""
    return [(p, better == "a") for p, better in rows if better in ("a", "b")]


def _accuracy(rows: Sequence[Labelled]) -> Rate | None:
    return accuracy([(p - 0.5, a_is_better) for p, a_is_better in _decided(rows)])


def _ties(rows: Sequence[Labelled]) -> list[Labelled]:
    return [row for row in rows if row[1] == "tie"]


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
    decided = _decided(rows)
    measured = calibration(decided) if decided else None
    by_principle: dict[str, list[Labelled]] = {}
    for comparison, row in zip(scored, rows, strict=True):
        if comparison.principle_id is not None:
            by_principle.setdefault(comparison.principle_id, []).append(row)
    reasons = Counter(row.unscored for row in own if row.unscored is not None)
    return Labels(
        n=len(own),
        unscored=len(own) - len(scored),
        unscored_reasons=dict(sorted(reasons.items())),
        ties=len(_ties(rows)),
        unknown=truths.count(None),
        accuracy=_accuracy(rows),
        ece=measured.ece if measured else None,
        confidence=_confidence(rows),
        tie_confidence=_confidence(_ties(rows)),
        calibration=measured,
        position=position_bias(scored, truths),
        principles={
            name: PrincipleLabels(n=len(under), ties=len(_ties(under)), accuracy=_accuracy(under))
            for name, under in sorted(by_principle.items())
        },
    )
