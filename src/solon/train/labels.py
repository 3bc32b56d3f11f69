"""What a training makes of a label, the probability that the first of two answers is better.

Every step is symmetric: swapping the answers gives 1 minus what it gave.
"""

from __future__ import annotations

from solon.config.training import ComparisonsSection


def target(p_a_preferred: float, section: ComparisonsSection) -> float:
    """The label that a section trains with: made hard, clamped, smoothed, as it says.

    Example: 0.9, hard, clamped to 0.8, smoothed by 0.25: 1, 0.8, 0.8 * 0.75 + 0.2 * 0.25 = 0.65.
    """
    label = harden(p_a_preferred) if section.labels == "hard" else p_a_preferred
    return smooth(clamp(label, section.clamp), section.smoothing)


def harden(p: float) -> float:
    """The likelier answer, certainly. One half stays: it names none."""
    return 0.5 if p == 0.5 else float(p > 0.5)


def clamp(p: float, most: float) -> float:
    """No surer than `most`, of either answer (CAI section 4.1 clamps to 40 to 60%). Example: 0.9, 0.6: 0.6."""
    return min(max(p, 1.0 - most), most)


def smooth(p: float, flipped: float) -> float:
    """The label as it would be if a share of all labels named the wrong answer (Mitchell 2023, A note on DPO with noisy
    preferences). Example: 1 and 0.1: 0.9."""
    return (1.0 - flipped) * p + flipped * (1.0 - p)
