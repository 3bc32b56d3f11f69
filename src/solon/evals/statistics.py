"""The statistics that the measures share: rates, means, paired differences and distinct shares.

Every interval here is a 95% interval. The intervals of rates and differences are score intervals (Wilson, Newcombe):
unlike the textbook p +- 1.96 se they stay inside [0, 1], are not empty at 0% and 100%, and keep their coverage near
the ends, which is where a run should end up. `clusters` names the group of each row (several answers to one prompt);
rows of one group are not independent, so counts shrink to an effective sample size before the formula is applied.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from math import hypot, sqrt
from statistics import NormalDist
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from solon.records import Record

R = TypeVar("R")
K = TypeVar("K", bound=Hashable)
Floats = NDArray[np.float64]
Z95 = 1.959963984540054
"""The 97.5% point of the standard normal distribution."""


class Rate(Record):
    """A share of rows, in [0, 1], with its 95% interval."""

    rate: float
    low: float
    high: float


class Mean(Record):
    """A mean with its 95% interval."""

    mean: float
    low: float
    high: float


class Interval(Record):
    """A figure with its 95% interval."""

    value: float
    low: float
    high: float


class Difference(Record):
    """First minus second, of two rates measured on the same prompts, in [-1, 1]."""

    n: int
    """Prompts compared."""
    value: float
    low: float
    high: float


def wilson(successes: float, n: float) -> Rate:
    """The share `successes / n` with Wilson's score interval.

    Both arguments may be fractional, for effective sample sizes.

    Example: 8 of 10: p = 0.8, centre (0.8 + 0.1921) / 1.3841 = 0.7167, half width 0.2266: 0.4902 to 0.9433.
    """
    if n <= 0 or not 0 <= successes <= n:
        raise ValueError(f"a rate needs 0 <= successes <= n and n > 0, got {successes} of {n}")
    p = successes / n
    low, high = score_interval(np.float64(p), np.float64(n), Z95)  # as numbers: an array of one takes twice as long
    return Rate(rate=p, low=float(low), high=float(high))


def score_interval(share: Floats | np.float64, n: Floats | np.float64, z: Floats | float) -> tuple[Floats, Floats]:
    """Ends of Wilson's score interval of shares of `n`, which may be effective sizes. Of one shape; NaN for n = 0.

    With p the share (Wilson 1927; Brown, Cai and DasGupta 2001, eq. 4), and z = 1.96 for 95%:

        (p + z^2/2n +- z sqrt(p (1 - p)/n + z^2/4n^2)) / (1 + z^2/n)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z2 = np.square(z)
        centre = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
        # None and all lie at the ends, but for rounding.
        low = np.minimum(share, np.maximum(centre - half, 0.0))
        high = np.maximum(share, np.minimum(centre + half, 1.0))
    return low, high


def rate(outcomes: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Rate:
    """The share of True (or 1) with its interval; with `clusters` the interval counts effective rows, not rows. An
    outcome may be a share itself.

    Example: True, True, False, False is 2 of 4: 0.5, from 0.150 to 0.850. If the two True are one prompt's answers and
    the two False another's, they are worth one row (`effective_size`): 0.5, from 0.055 to 0.945.
    """
    n = len(outcomes)
    p = sum(map(float, outcomes)) / n if n else 0.0
    effective = n if clusters is None else effective_size([float(x) for x in outcomes], clusters)
    return wilson(p * effective, effective)


def mean(values: Sequence[float], clusters: Sequence[Hashable] | None = None) -> Mean:
    """The mean with the normal interval mean +- 1.96 s / sqrt(n), s the sample standard deviation.

    With `clusters`, n is the effective sample size. One row alone has no interval: low = high = mean.

    Example: 1, 2, 3: mean 2, s = 1, 1.96 / sqrt(3) = 1.132: from 0.868 to 3.132.
    """
    if not values:
        raise ValueError("the mean of no values")
    centre = float(np.mean(values))
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    effective = len(values) if clusters is None else effective_size(values, clusters)
    half = Z95 * spread / sqrt(effective)
    return Mean(mean=centre, low=centre - half, high=centre + half)


def leaves_out_zero(gap: Interval, *, among: int = 1) -> bool:
    """Whether the interval leaves out 0; `among` so many, when widened so far that all of them hold together at 95%.

    The side towards 0 is taken for normal. Example: 0.3, from 0.1 to 0.5: it is 1.96 0.3 / 0.2 = 2.94 standard errors
    from 0, and 1.96 are asked alone, 2.81 among 10, 3.48 among 100.
    """
    side = gap.value - gap.low if gap.value > 0 else gap.high - gap.value
    asked = max(Z95, NormalDist().inv_cdf(1 - 0.025 / among))  # a rounding apart for one
    return abs(gap.value) * Z95 > asked * side


def effective_size(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """How many independent rows the clustered rows are worth, between 1 and the number of rows.

    The variance of the mean is estimated twice: as if rows were independent, V1 = sum_i e_i^2 / n^2, and with residuals
    summed within clusters first, VC = G/(G-1) sum_g (sum_{i in g} e_i)^2 / n^2, G clusters (Liang and Zeger 1986;
    recommended for evaluations by Miller 2024, 2411.00640). The effective size is n V1 / VC (Kish's design effect).
    Ours: never more than n, and the number of clusters where all values are equal, so that 0% is not over-sure.

    Example: 1, 1, 0, 0 in clusters x, x, y, y: e = +-0.5, V1 = 1/16, VC = 2 (1 + 1)/16 = 1/4: 4 (1/16)/(1/4) = 1 row;
    taken as at least 1. In clusters w, x, y, z: VC = 4/3 (1/16): 3 rows.
    """
    n = len(values)
    if n != len(clusters):
        raise ValueError(f"{n} values but {len(clusters)} cluster names")
    if n == 0:
        raise ValueError("the effective size of no rows")
    residuals = np.asarray(values, dtype=np.float64) - float(np.mean(values))
    index: dict[Hashable, int] = {}
    group = [index.setdefault(name, len(index)) for name in clusters]
    groups = len(index)
    if groups == 1:
        return 1.0
    independent = float(np.sum(residuals**2))
    clustered = groups / (groups - 1) * float(np.sum(np.bincount(group, weights=residuals) ** 2))
    if independent == 0.0:
        return float(groups)
    return float(np.clip(n * independent / clustered, 1.0, n)) if clustered > 0 else float(n)


def paired_difference(
    first: Sequence[bool], second: Sequence[bool], clusters: Sequence[Hashable] | None = None
) -> Difference:
    """Rate of `first` minus rate of `second`, rows matched by position, with Newcombe's score interval for paired data.

    Method 10 of Newcombe 1998 (Statistics in Medicine 17, 2635-2650). Of n rows, let a be True in both, b in the first
    only, c in the second only, d in neither; p1 = (a+b)/n and p2 = (a+c)/n with Wilson intervals l1..u1 and l2..u2:

        low  = p1 - p2 - sqrt((p1-l1)^2 - 2 phi (p1-l1)(u2-p2) + (u2-p2)^2)
        high = p1 - p2 + sqrt((u1-p1)^2 - 2 phi (u1-p1)(p2-l2) + (p2-l2)^2)

    phi is the correlation of the two outcomes, m / sqrt((a+b)(c+d)(a+c)(b+d)), with m = ad - bc, made smaller by n/2
    but not below 0 when positive; phi = 0 if any margin is 0. With `clusters`, the Wilson intervals use the effective
    sample size of the row differences.

    Example: a, b, c, d = 14, 5, 0, 22 (n = 41): p1 = 0.4634 (0.3207..0.6125), p2 = 0.3415 (0.2161..0.4945),
    m = 308 - 20.5 = 287.5, phi = 287.5 / sqrt(19 * 22 * 14 * 27) = 0.7233: 0.1220, from 0.0113 to 0.2261.
    """
    if len(first) != len(second):
        raise ValueError(f"paired rows differ in number: {len(first)} and {len(second)}")
    n = len(first)
    a = sum(1 for x, y in zip(first, second, strict=True) if x and y)
    p1, p2 = sum(map(bool, first)), sum(map(bool, second))
    effective: float = n
    if clusters is not None:
        effective = effective_size([float(x) - float(y) for x, y in zip(first, second, strict=True)], clusters)
    one, two = wilson(p1 / n * effective, effective), wilson(p2 / n * effective, effective)
    moment = float(a * (n - p1 - p2 + a) - (p1 - a) * (p2 - a))
    if moment > 0:
        moment = max(moment - n / 2, 0.0)
    margins = p1 * (n - p1) * p2 * (n - p2)
    phi = moment / sqrt(margins) if margins else 0.0

    def length(x: float, y: float) -> float:
        return sqrt(max(0.0, x * x - 2 * phi * x * y + y * y))

    gap = one.rate - two.rate
    low = gap - length(one.rate - one.low, two.high - two.rate)
    high = gap + length(one.high - one.rate, two.rate - two.low)
    return Difference(n=n, value=gap, low=max(-1.0, low), high=min(1.0, high))


def unpaired_difference(first: Interval, second: Interval) -> Interval:
    """First minus second, of two figures that were measured apart.

    Their intervals are put together by the square-and-add rule (Zou and Donner 2008, Statistics in Medicine 27; for
    Wilson's intervals it is method 10 of Newcombe 1998, Statistics in Medicine 17, 873-890):

        low  = v1 - v2 - sqrt((v1 - l1)^2 + (u2 - v2)^2)
        high = v1 - v2 + sqrt((u1 - v1)^2 + (v2 - l2)^2)

    Example: 56 of 70 (0.6916 to 0.8776) and 48 of 80 (0.4905 to 0.7004): 0.2, from 0.0524 to 0.3339.
    """
    gap = first.value - second.value
    down = hypot(first.value - first.low, second.high - second.value)
    up = hypot(first.high - first.value, second.value - second.low)
    return Interval(value=gap, low=gap - down, high=gap + up)


def distinct(texts: Sequence[str]) -> Rate:
    """Number of different texts divided by number of texts, compared after collapsing white space.

    The number of different texts D is not a binomial count. By the Efron-Stein inequality its variance is at most
    n s (1 - s), where s is the probability that a text is unlike all the others (replacing one text changes D by one
    only if exactly one of the old and the new text is alone). That is the variance of a binomial count with share s, so
    the distances from s to its Wilson limits are laid about D / n. The interval is conservative, and it is for samples
    of this size: the share falls as more texts are drawn, so compare models at the same n.

    Example: a, a, b, c: D / n = 3/4; b and c are alone, s = 2/4 with Wilson 0.150..0.850: from 0.400 to 1.
    """
    n = len(texts)
    _, counts = np.unique([" ".join(text.split()) for text in texts], return_counts=True)
    share = len(counts) / n if n else 0.0
    alone = wilson(int(np.sum(counts == 1)), n)
    low = max(1.0 / n, share - (alone.rate - alone.low))
    return Rate(rate=share, low=min(share, low), high=min(1.0, share + (alone.high - alone.rate)))


def grouped(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, list[R]]:
    """By key, keys in the order in which they are first met."""
    found: dict[K, list[R]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
