"""Are differences of scores probabilities? The preference model held against labels or the truth, log-odds of labels
against the truth, and the temperature that would mend them. All intervals are of a bootstrap over prompts, since pairs
of one prompt are not independent.

    R resamples   G prompts   P pairs   K bins
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import log
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from solon.evals.calibration import BINS, CalibrationBin, binned, calibration
from solon.evals.statistics import Floats, Interval, Rate
from solon.records import Record

RESAMPLES = 500
FOLDS = 5
LIMIT = 20.0
"""Temperatures are looked for from 1 / LIMIT to LIMIT. Assumption: beyond, scores have nothing to do with labels."""
_HALVINGS = 40


class Reliability(Record):
    """Of the probabilities sigmoid(margin / T) of held-out pairs."""

    ece: Interval
    """Expected calibration error, see `calibration`. It is above 0 by chance alone, more so in resamples; the interval
    is reflected at the value (the basic bootstrap), which takes that off."""
    bins: tuple[CalibrationBin, ...]
    """`accuracy`: how often the answer that scores higher is the better one, or how probable the labels find it."""


class PreferenceCalibration(Record):
    """Of scores as they are, and divided by a temperature (Guo et al. 2017, 1706.04599, section 4.2)."""

    n: int
    """Pairs."""
    prompts: int
    temperature: Interval
    """The T at which sigmoid(margin / T) has the least cross-entropy. Above 1 the scores are too sure."""
    at_limit: Annotated[bool, Field(exclude_if=lambda at_limit: not at_limit)] = False
    """`temperature` is `LIMIT` or 1 / `LIMIT`, where the search ends and not where the cross-entropy is least: scores
    that are right, or wrong, of all pairs fit the better the surer they are said to be. It is no estimate."""
    plain: Reliability
    """T = 1."""
    scaled: Reliability
    """Each prompt by the T that is fitted to others."""


def fit_temperature(margins: Sequence[float], labels: Sequence[float]) -> float:
    """The T > 0 with the least cross-entropy of sigmoid(margin / T) against soft labels, between 1 / LIMIT and LIMIT.

    Example: margins ln 9 and -ln 9 with labels 0.75 and 0.25: sigmoid(ln 9 / T) = 0.75 = sigmoid(ln 3), so T = 2.
    """
    if not margins:
        raise ValueError("a temperature for no pairs")
    return float(_temperatures(np.asarray(margins, float), np.asarray(labels, float), np.ones((1, len(margins))))[0])


def at_limit(temperature: float) -> bool:
    """Whether a temperature is where the search ended, to the accuracy of the search."""
    return abs(log(temperature)) > log(LIMIT) - 1e-6


def preference_calibration(
    margins: Sequence[float], labels: Sequence[float], prompts: Sequence[Hashable]
) -> PreferenceCalibration | None:
    """How far sigmoid(margin) are the probabilities that `labels` say `a` is better with; None with less than
    `FOLDS` prompts."""
    names = {name: number for number, name in enumerate(dict.fromkeys(prompts))}
    if len(names) < FOLDS:
        return None
    margin_P, label_P = np.asarray(margins, float), np.asarray(labels, float)
    group_P = np.asarray([names[name] for name in prompts])
    drawn_RG = np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)
    fitted = _temperatures(margin_P, label_P, drawn_RG[:, group_P])
    temperature = fit_temperature(margins, labels)
    return PreferenceCalibration(
        n=len(margins),
        prompts=len(names),
        temperature=Interval(value=temperature, **_ends(fitted)),
        at_limit=at_limit(temperature),
        plain=_reliability(margin_P, label_P, group_P, drawn_RG),
        scaled=_reliability(margin_P / _of_others(margin_P, label_P, group_P), label_P, group_P, drawn_RG),
    )


def _temperatures(margin_P: Floats, label_P: Floats, weight_RP: NDArray[np.number]) -> Floats:
    """[R]. The loss is convex in b = 1 / T; its slope, the sum of w m (sigmoid(b m) - p), is halved towards 0."""
    low_R, high_R = (np.full(len(weight_RP), sign * np.log(LIMIT)) for sign in (-1.0, 1.0))
    for _ in range(_HALVINGS):
        middle_R = (low_R + high_R) / 2
        off_RP = sigmoid(np.exp(middle_R)[:, None] * margin_P) - label_P
        rising_R = (weight_RP * margin_P * off_RP).sum(axis=1) > 0
        low_R, high_R = np.where(rising_R, low_R, middle_R), np.where(rising_R, middle_R, high_R)
    fitted_R: Floats = np.exp(-(low_R + high_R) / 2)
    return fitted_R


def _of_others(margin_P: Floats, label_P: Floats, group_P: NDArray[np.int64]) -> Floats:
    """[P]: for each pair, the temperature of the prompts that are not in its fold."""
    fold_P = group_P % FOLDS
    apart_FP = (fold_P != np.arange(FOLDS)[:, None]).astype(float)
    fitted: Floats = _temperatures(margin_P, label_P, apart_FP)[fold_P]
    return fitted


def _reliability(
    margin_P: Floats, label_P: Floats, group_P: NDArray[np.int64], drawn_RG: NDArray[np.int64]
) -> Reliability:
    pairs = list(zip(sigmoid(margin_P).tolist(), label_P.tolist(), strict=True))
    whole, (confidence_P, credit_P, bin_P) = calibration(pairs), binned(pairs)

    def resampled(value_P: Floats) -> Floats:
        """[R, K]: sums in each bin."""
        sum_GK = np.zeros((drawn_RG.shape[1], BINS))
        np.add.at(sum_GK, (group_P, bin_P), value_P)
        return np.asarray(drawn_RG @ sum_GK, float)

    n_RK, sure_RK, right_RK = (resampled(value) for value in (np.ones(len(margin_P)), confidence_P, credit_P))
    with np.errstate(invalid="ignore"):
        rate_RK = right_RK / n_RK  # NaN where a resample has no pair
    ece_R = np.abs(right_RK - sure_RK).sum(axis=1) / n_RK.sum(axis=1)
    found = [int(k) for k in np.unique(bin_P)]
    bins = [_with_ends(one, rate_RK[:, k]) for one, k in zip(whole.bins, found, strict=True)]
    return Reliability(ece=_reflected(whole.ece, ece_R), bins=tuple(bins))


def _with_ends(one: CalibrationBin, rate_R: Floats) -> CalibrationBin:
    """A bin with few prompts has resamples without it; they say nothing."""
    ends = _ends(rate_R[~np.isnan(rate_R)])
    rate = Rate(
        rate=one.accuracy.rate, low=min(ends["low"], one.accuracy.rate), high=max(ends["high"], one.accuracy.rate)
    )
    return one.model_copy(update={"accuracy": rate})


def _reflected(value: float, found_R: Floats) -> Interval:
    ends = _ends(found_R)
    return Interval(value=value, low=max(0.0, 2 * value - ends["high"]), high=max(value, 2 * value - ends["low"]))


def _ends(found_R: Floats) -> dict[str, float]:
    low, high = np.quantile(found_R, [0.025, 0.975])
    return {"low": float(low), "high": float(high)}


def log_odds(p: float) -> float:
    """ln p / (1 - p); of 0 and 1, as if they were a millionth from there."""
    inside = min(max(p, 1e-6), 1 - 1e-6)
    return log(inside / (1 - inside))


def tempered(p: float, temperature: float) -> float:
    """The probability whose log-odds are those of p, divided. Example: 0.9 at 2 is sigmoid(ln 9 / 2) = 0.75."""
    if temperature == 1.0 or p in (0.0, 1.0):
        return p
    return float(sigmoid(np.float64(log(p / (1.0 - p)) / temperature)))


def sigmoid(x: Floats | np.float64) -> Floats:
    """1 / (1 + e^-x), without overflow."""
    half: Floats = 0.5 * (1.0 + np.tanh(0.5 * x))
    return half
