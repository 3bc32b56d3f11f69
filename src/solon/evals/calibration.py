"""Do probabilities mean what they say? The reliability diagram, and its summary in one number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from solon.evals.statistics import Floats, Mean, Rate, mean, rate, wilson
from solon.records import Record

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


def credit(margin: float, a_is_better: float) -> float:
    """How right it is to prefer `a`, where the margin is above 0, or `b`: 1 if that is the better answer, 0 if the
    worse, one half without a preference. `a_is_better`: whether it is, or how probably."""
    return 0.5 if margin == 0 else float(a_is_better if margin > 0 else 1 - a_is_better)


def accuracy(preferences: Sequence[tuple[float, float]]) -> Rate | None:
    """The mean credit of pairs of which one answer is truly better, as (margin, a_is_better); None without any."""
    return wilson(sum(credit(*pair) for pair in preferences), len(preferences)) if preferences else None


def brier(labels: Sequence[tuple[float, float]], prompts: Sequence[Hashable]) -> Mean | None:
    """The mean squared error of labels as probabilities (Brier 1950), of labels as in `calibration`; None without any.
    Labels of one prompt are not independent.

    Example: 0.9 and 0.4 for a, which is better in both: (0.01 + 0.36) / 2 = 0.185.
    """
    return mean([(p - a_is_better) ** 2 for p, a_is_better in labels], prompts) if labels else None


def calibration(
    labels: Sequence[tuple[float, float]], bins: int = BINS, *, prompts: Sequence[Hashable] | None = None
) -> Calibration:
    """Reliability of soft labels on pairs where one answer is truly better, as (label, whether it is `a`): does a
    confidence of 80% mean right in 80% of cases? (CAI figure 9) The truth may itself be a probability.

    A label p has the confidence max(p, 1 - p), between 0.5 and 1; that interval is cut into `bins` of equal width
    (0.05 each for 10), so a label and its swap fall into the same bin. With n_k labels of mean confidence c_k and mean
    credit a_k in bin k:  ECE = sum_k (n_k / n) |a_k - c_k|.

    Example: labels 0.9, 0.9, 0.1, 0.6 with truths a, a, a, a: confidences 0.9, 0.9, 0.9, 0.6; credits 1, 1, 0, 1. Bin
    0.90-0.95: a = 2/3, c = 0.9; bin 0.60-0.65: a = 1, c = 0.6. ECE = 3/4 * 0.2333 + 1/4 * 0.4 = 0.275.

    `prompts`: of each label; those of one prompt are not independent, and intervals are over effective labels (`rate`).
    """
    if not labels:
        raise ValueError("the calibration of no labels")
    confidence, credits, index = binned(labels, bins)
    rows, error = [], 0.0
    for k in np.unique(index):
        chosen = index == k
        n, mean_confidence = int(chosen.sum()), float(confidence[chosen].mean())
        right = wilson(float(credits[chosen].sum()), n)
        if prompts is not None:
            right = rate(credits[chosen].tolist(), [prompts[int(place)] for place in np.flatnonzero(chosen)])
        error += n / len(labels) * abs(right.rate - mean_confidence)
        low, high = 0.5 + k / (2 * bins), 0.5 + (k + 1) / (2 * bins)
        rows.append(CalibrationBin(low=low, high=high, n=n, confidence=mean_confidence, accuracy=right))
    return Calibration(n=len(labels), ece=error, bins=tuple(rows))


def binned(labels: Sequence[tuple[float, float]], bins: int = BINS) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Confidence, credit and bin of each label, of labels and truths as in `calibration`."""
    label = np.asarray([p for p, _ in labels], dtype=np.float64)
    confidence = np.maximum(label, 1.0 - label)
    credits = np.asarray([credit(p - 0.5, a_is_better) for p, a_is_better in labels])
    # The small offset keeps a label written as 0.6 in the bin that begins at 0.6 although (0.6 - 0.5) * 20 < 2.
    index = np.clip(np.floor((confidence - 0.5) * 2 * bins + 1e-9).astype(np.int64), 0, bins - 1)
    return confidence, credits, index
