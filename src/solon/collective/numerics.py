"""What several parts need to compute alike on every machine: sums in one order, seeds for NumPy's older generator."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """On one thread a sum has one order, however many cores there are; small clusterings are faster so, too."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # scikit-learn brings it

    limits: AbstractContextManager[object] = threadpool_limits(limits=1)
    return limits


def as_numpy_takes_it(seed: int) -> int:
    """NumPy's older generator, and so scikit-learn, take seeds below 2³² alone; larger ones lose their upper digits."""
    return seed % 2**32
