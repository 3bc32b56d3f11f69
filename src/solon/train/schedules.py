"""How the learning rate moves over a training: what share of the full one a step has."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from solon.config.training import OptimizerSection, ScheduleName

Schedule = Callable[[float], float]
"""The share of the full learning rate, from how far training is: 0 at the first step, 1 at the last."""

_LEFT: Mapping[ScheduleName, Schedule] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1.0 - done,
    "cosine": lambda done: (1.0 + math.cos(math.pi * done)) / 2.0,
}
"""How much is left of the way down."""


def schedule_of(section: OptimizerSection) -> Schedule:
    """From 1 at the first step to exactly `final_share` at the last.

    Example: with final share 0.2, a quarter of the way down, `linear` is at 0.8 and `cosine` at 0.8828; halfway both
    are at 0.6.
    """
    left, last = _LEFT[section.schedule], section.final_share
    return lambda done: last + (1.0 - last) * left(done)


def warmed_up(learning_rate: float, step: int, warmup_steps: int) -> float:
    """Linear warm-up, then constant; `step` counts from 1. Example: 1e-3, warm-up 4: step 1 has 2.5e-4, step 4 1e-3."""
    return learning_rate * min(1.0, step / max(1, warmup_steps))
