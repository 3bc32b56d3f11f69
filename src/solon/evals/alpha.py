"""How far people agree with each other: Krippendorff's alpha, for any number of them, who need not all see the same.

Krippendorff 2004 (Content Analysis, 2nd edition, chapter 11), for categories without an order. Of unit u, n_uc people
say c, and m_u >= 2 of them say anything; n_c = sum_u n_uc over such units, n = sum_c n_c:

    D     = sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1)
    alpha = 1 - (n - 1) D / (n^2 - sum_c n_c^2)

1 is full agreement, 0 that of chance, and below 0 people disagree more than by chance. The interval is the middle 95%
of a bootstrap over units. (Ours: Krippendorff draws pairs of values anew, which are not independent within a unit.)

    B resamples   U units   C categories
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from solon.evals.statistics import Floats
from solon.records import Record

RESAMPLES = 1000


class Alpha(Record):
    """Krippendorff's alpha."""

    value: float | None
    """None: fewer than two people saw the same, or all said one thing."""
    low: float | None
    high: float | None
    units: int
    """Seen by two people or more."""
    values: int
    """What was said of these."""


def alpha(units: Iterable[Sequence[Hashable]], *, seed: int = 0, resamples: int = RESAMPLES) -> Alpha:
    """units: what people said of each. Units that one person saw alone count not.

    Example: x x, y y and x y: n = 6 of which 3 and 3, D = (4 - 2) / 1 = 2: 1 - 5 * 2 / (36 - 18) = 4 / 9.
    """
    seen = [Counter(said) for said in units if len(said) > 1]
    names = list(dict.fromkeys(name for said in seen for name in said))
    count_UC = np.array([[said[name] for name in names] for said in seen], dtype=np.float64).reshape(
        len(seen), len(names)
    )
    value = float(_alpha(count_UC, np.ones((1, len(seen))))[0]) if seen else np.nan
    told = {"units": len(seen), "values": int(count_UC.sum())}
    if np.isnan(value):
        return Alpha(value=None, low=None, high=None, **told)
    rng = np.random.default_rng(seed)
    drawn_BU = rng.multinomial(len(seen), np.full(len(seen), 1 / len(seen)), size=resamples).astype(np.float64)
    low, high = np.nanquantile(_alpha(count_UC, drawn_BU), [0.025, 0.975])
    return Alpha(value=value, low=float(low), high=float(high), **told)


def _alpha(count_UC: Floats, weight_BU: Floats) -> Floats:
    """[B]; NaN where all said one thing."""
    size_U = count_UC.sum(axis=1)
    apart_U = (size_U**2 - (count_UC**2).sum(axis=1)) / (size_U - 1)
    count_BC = weight_BU @ count_UC
    n_B = count_BC.sum(axis=1)
    by_chance_B = n_B**2 - (count_BC**2).sum(axis=1)
    with np.errstate(invalid="ignore"):
        found_B: Floats = 1 - (n_B - 1) * (weight_BU @ apart_U) / by_chance_B
    return found_B
