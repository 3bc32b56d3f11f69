"""Figures of several runs that differ by their seed alone, with an interval over both prompts and seeds.

Every seed has prompts of its own. A figure is the mean over seeds of the means over prompts. Its 95% interval is the
wider of two: the normal one over prompts, as if seeds were all alike, and Student's t over the seeds' own figures, as
if their number of prompts did not matter. The second holds what a training adds by chance; three seeds that happen to
agree are not believed beyond the first. One seed has the first alone.

Spreads over prompts count two more values, one at each end of what can be measured (Agresti and Coull 1998, who add two
of each to a share; Agresti and Min 2005 to paired shares): without them, none of 50 would be 0 beyond doubt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from solon.evals.statistics import Z95, Floats, Interval

Values = Mapping[int, Mapping[str, float]]
"""What was measured, by seed and prompt."""
Ends = tuple[float, float]
"""The least and the most that one prompt can give."""
SHARE: Ends = (0.0, 1.0)
_T95 = (12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004, 2.262157)
"""The 97.5% points of Student's t with 1, 2, ... degrees of freedom."""


def over_seeds(values: Values, ends: Ends | None = SHARE) -> Interval:
    """The figure with its interval, which stays within `ends`; None: they are not known, and nothing is added.

    Example: two seeds of two prompts each, (1, 0) and (1, 1): means 0.5 and 1, figure 0.75. Over seeds: their standard
    deviation is 0.3536, t with one degree of freedom 12.71, 12.71 * 0.3536 / sqrt(2) = 3.18: from 0 to 1.
    """
    seeds = [np.asarray(list(own.values()), dtype=np.float64) for own in values.values() if own]
    if not seeds:
        raise ValueError("a figure of no values")
    means = np.asarray([own.mean() for own in seeds])
    half = max(_over_prompts(seeds, ends), half_over_seeds(means))
    return _within(float(means.mean()), half, ends)


def difference(one: Values, other: Values, ends: Ends = SHARE) -> Interval:
    """First minus second, over prompts that both have, with the interval of the differences."""
    span = ends[1] - ends[0]
    return over_seeds(paired(one, other), (-span, span))


def paired(one: Values, other: Values) -> Values:
    """First minus second of each prompt that both have."""
    return {
        seed: {name: value - other[seed][name] for name, value in own.items() if name in other[seed]}
        for seed, own in one.items()
        if seed in other
    }


def half_over_seeds(figures: Sequence[float] | Floats) -> float:
    """Half of Student's interval of the mean of the seeds' own figures; 0 of one seed, which says nothing of others.

    Example: 1, 2 and 3: s = 1, t with two degrees of freedom 4.303: 4.303 / sqrt(3) = 2.484.
    """
    count = len(figures)
    return 0.0 if count < 2 else student(count - 1) * float(np.std(figures, ddof=1)) / sqrt(count)


def student(degrees: int) -> float:
    """The 97.5% point of Student's t (above 9 degrees: Abramowitz and Stegun 26.7.5, to 1e-5)."""
    if degrees <= len(_T95):
        return _T95[degrees - 1]
    z = Z95
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / degrees**power for power, term in enumerate(terms, start=1)))


def _over_prompts(seeds: Sequence[Floats], ends: Ends | None) -> float:
    """Seeds are independent: variances of their means add up."""
    variance = sum(_spread(own, ends) / len(own) for own in seeds) / len(seeds) ** 2
    return Z95 * sqrt(variance)


def _spread(own: Floats, ends: Ends | None) -> float:
    """Variance of one value. Without ends, one value alone has none."""
    counted = own if ends is None else np.concatenate([own, np.asarray(ends)])
    return float(np.var(counted, ddof=1)) if len(counted) > 1 else 0.0


def _within(value: float, half: float, ends: Ends | None) -> Interval:
    low, high = ends or (-np.inf, np.inf)
    return Interval(value=value, low=max(float(low), value - half), high=min(float(high), value + half))
