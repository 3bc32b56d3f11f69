"""How good the AI's labels are, measured against the ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from solon.evals.statistics import Mean, Rate, mean, wilson
from solon.records import Comparison, Record

BINS = 10
"""As in CAI figure 9 and Guo et al. 2017 (1706.04599), who use 10 to 15."""


class CalibrationBin(Record):
    """Labels whose confidence fell into one bin of the reliability diagram."""

    low: float
    """Included."""
    high: float
    """Excluded, except in the last bin."""
    n: int
    confidence: float
    """Mean confidence of the bin's labels."""
    accuracy: Rate
    """Share of them whose preferred answer is the truly better one."""


class Calibration(Record):
    """The reliability diagram, and its summary in one number."""

    n: int
    ece: float
    """Expected calibration error, in [0, 1]: |accuracy - confidence| of each bin, weighted by its labels."""
    bins: tuple[CalibrationBin, ...]
    """Empty bins are left out."""


def credit(margin: float, a_is_better: bool) -> float:
    """1 if the better answer is preferred, 0 if the worse, one half if neither. `margin`: above 0 where `a` is."""
    return 0.5 if margin == 0 else float((margin > 0) == a_is_better)


def accuracy(preferences: Sequence[tuple[float, bool]]) -> Rate | None:
    """The mean credit of pairs of which one answer is truly better, as (margin, a_is_better); None without any."""
    return wilson(sum(credit(*pair) for pair in preferences), len(preferences)) if preferences else None


def calibration(labels: Sequence[tuple[float, bool]], bins: int = BINS) -> Calibration:
    """Reliability of soft labels on pairs where one answer is truly better, as (label, whether it is `a`): does a
    confidence of 80% mean right in 80% of cases? (CAI figure 9)

    A label p has the confidence max(p, 1 - p), between 0.5 and 1; that interval is cut into `bins` of equal width
    (0.05 each for 10), so a label and its swap fall into the same bin. With n_k labels of mean confidence c_k and mean
    credit a_k in bin k:  ECE = sum_k (n_k / n) |a_k - c_k|.

    Example: labels 0.9, 0.9, 0.1, 0.6 with truths a, a, a, a: confidences 0.9, 0.9, 0.9, 0.6; credits 1, 1, 0, 1. Bin
    0.90-0.95: a = 2/3, c = 0.9; bin 0.60-0.65: a = 1, c = 0.6. ECE = 3/4 * 0.2333 + 1/4 * 0.4 = 0.275.
    """
    if not labels:
        raise ValueError("the calibration of no labels")
    label = np.asarray([p for p, _ in labels], dtype=np.float64)
    confidence = np.maximum(label, 1.0 - label)
    credits = np.asarray([credit(p - 0.5, a_is_better) for p, a_is_better in labels])
    # The small offset keeps a label written as 0.6 in the bin that begins at 0.6 although (0.6 - 0.5) * 20 < 2.
    index = np.clip(np.floor((confidence - 0.5) * 2 * bins + 1e-9).astype(int), 0, bins - 1)
    rows, error = [], 0.0
    for k in np.unique(index):
        chosen = index == k
        n, mean_confidence = int(chosen.sum()), float(confidence[chosen].mean())
        right = wilson(float(credits[chosen].sum()), n)
        error += n / len(labels) * abs(right.rate - mean_confidence)
        low, high = 0.5 + k / (2 * bins), 0.5 + (k + 1) / (2 * bins)
        rows.append(CalibrationBin(low=low, high=high, n=n, confidence=mean_confidence, accuracy=right))
    return Calibration(n=len(labels), ece=error, bins=tuple(rows))


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
