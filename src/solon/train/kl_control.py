"""How strongly RL holds a policy to its reference, where a KL is aimed at."""

from __future__ import annotations

GAIN, BOUND = 0.1, 0.2
"""Of 1909.08593 section 2.2: so a step changes the coefficient by 2% at most."""


def next_kl_coefficient(coefficient: float, kl: float, *, target: float) -> float:
    """The coefficient of the step after one with this KL: larger if that was above `target`, smaller if below.

    coefficient * (1 + 0.1 e), e = (KL - target) / target, held within 0.2. KL and target in nats per answer. A
    coefficient of 0 stays. Source: 1909.08593 section 2.2.

    Example: coefficient 0.1, KL 12, target 10: e = 0.2, so 0.1 * 1.02 = 0.102. At KL 9: e = -0.1, so 0.099.
    """
    error = (kl - target) / target
    return coefficient * (1.0 + GAIN * max(-BOUND, min(BOUND, error)))
