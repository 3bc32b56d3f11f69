"""Which statement deserves to be shown next: how far each moves people apart, and its priority.

Shapes: S statements. Counts are those of the people in groups, summed over groups.
"""

from __future__ import annotations

import numpy as np

from solon.collective.conversation import Bools, Floats
from solon.collective.opinion.counts import Counts

META_PRIORITY = 49.0
"""7², the priority of every statement about the conversation itself."""


def extremity(statements_S2: Floats) -> Floats:
    """[S]: distance of each statement's place from the middle; (3, 4) gives 5."""
    return np.asarray(np.sqrt(np.square(statements_S2).sum(axis=1)), dtype=np.float64)


def importance(counts: Counts, extremity_S: Floats) -> Floats:
    """[S]: (1 - (P + 1) / (S + 2)) · (E + 1) · (A + 1) / (S + 2), with P passes, S votes and extremity E.

    6 agrees, 1 disagree and 1 pass at E = 1: (1 - 2/10) · 2 · 7/10 = 1.12.
    """
    total = counts.total()
    seen = total.seen[0] + 2
    return np.asarray((1 - (total.passes[0] + 1) / seen) * (extremity_S + 1) * (total.agrees[0] + 1) / seen)


def priority(counts: Counts, extremity_S: Floats, meta_S: Bools) -> Floats:
    """[S]: (importance · (1 + 8 · 2^(-S/5)))², so that new statements get their chance; 49 for meta statements.

    Importance 1.12 after 10 votes: (1.12 · (1 + 8/4))² = 11.29. Polis had a fault from March 2025 to mid-2026 that made
    every priority 49; `opinion.polis.stored` tells mathematics that shows it.
    """
    seen = counts.total().seen[0]
    value = np.square(importance(counts, extremity_S) * (1 + 8 * np.exp2(-seen / 5)))
    return np.asarray(np.where(meta_S, META_PRIORITY, value), dtype=np.float64)
