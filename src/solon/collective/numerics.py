"""Arithmetic that several parts need: Wilson's interval, sums in one order, seeds for NumPy's older generator.

Arrays may be of any one shape.
"""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np

from solon.collective.conversation import Floats


def wilson(share: Floats, n: Floats, z: Floats | float) -> tuple[Floats, Floats]:
    """Ends of Wilson's score interval (Wilson 1927) of a share of `n`, which may be an effective size; NaN for n = 0.

    (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n), where z is 1.96 at 95%. For 8 of 10 that is 0.49 to 0.94.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z2 = np.square(z)
        middle = (share + z2 / (2 * n)) / (1 + z2 / n)
        half = z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * np.square(n)))
        # None and all lie at the ends, but for rounding.
        low = np.where((share == 0) & (n > 0), 0.0, np.maximum(middle - half, 0.0))
        high = np.where((share == 1) & (n > 0), 1.0, np.minimum(middle + half, 1.0))
    return low, high


def one_thread() -> AbstractContextManager[object]:
    """On one thread a sum has one order, however many cores there are; small clusterings are faster so, too."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn brings it

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def as_numpy_takes_it(seed: int) -> int:
    """NumPy's older generator, and so scikit-learn, take seeds below 2³² alone; larger ones lose their upper digits."""
    return seed % 2**32
