"""Two or more sides measured in turns, so that what else the machine does falls on all alike."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

Work = Callable[[], object]
"""Does a side's whole work once."""


def seconds(work: Work) -> float:
    """Wall time of one go."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def median_seconds(
    sides: Mapping[str, Work], repetitions: int, before: Mapping[str, Work] = MappingProxyType({})
) -> dict[str, float]:
    """The median wall time of each side: all sides once, then all again, and so on. They should be warm.

    `before`: what sides do ahead of each of their turns, which is not measured.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(1, repetitions + 1):
        for name, work in sides.items():
            if name in before:
                before[name]()
            taken[name].append(seconds(work))
            tell(f"turn {turn} of {repetitions}: {name} {taken[name][-1]:.2f} s")
    return {name: statistics.median(times) for name, times in taken.items()}


def tell(text: str) -> None:
    """Progress, on standard error."""
    print(f"  {text}", file=sys.stderr, flush=True)
