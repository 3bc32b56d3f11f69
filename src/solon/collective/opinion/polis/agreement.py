"""Whether stored mathematics says what the formulas give from the votes, value by value.

What an analysis writes is always computed. Stored values may be wrong: a fault of Polis made every priority 49 from
March 2025 to mid-2026; votes go on after mathematics is stored, and exports may lack some.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from solon.collective.conversation import Floats
from solon.collective.opinion.polis.comparable import (
    MAJORITY,
    PRIORITY,
    REPRESENTATIVENESS,
    computed_results,
    stored_results,
)
from solon.collective.opinion.polis.matching import Matched
from solon.collective.opinion.polis.projection import axes
from solon.collective.opinion.polis.routing import META_PRIORITY
from solon.collective.opinion.polis.stored import StoredMathematics
from solon.collective.opinion.results import Agreement, Analysis

EXACT = 1e-9
"""What rounding leaves."""
TOLERANCES = {REPRESENTATIVENESS: 1e-6}
"""By quantity, where not `EXACT`: servers store some statistics with eight digits."""
AXES, SAME_AXIS = "axes", 1e-3
"""1 - |cosine|: servers find axes by iteration, and do not always go to the end."""


def compare(analysis: Analysis, matched: Matched, stored: StoredMathematics) -> tuple[Agreement, ...]:
    """Everything that the stored file and the analysis both say. What the file lacks is left out."""
    ours, theirs = computed_results(analysis), stored_results(stored)
    values = [same_values(name, found, ours.values[name]) for name, found in theirs.values.items()]
    return (
        # Statistics of lists that have no statement in common: the lists themselves tell.
        *(one for one in values if one.compared or one.quantity not in (REPRESENTATIVENESS, MAJORITY)),
        *(same_lists(name, lists, ours.lists[name]) for name, lists in theirs.lists.items()),
        same_axes(matched.components_2S, axes(matched.rated)[0]),
    )


def same_values(quantity: str, stored: Mapping[str, float], computed: Mapping[str, float]) -> Agreement:
    """Compares what both have, by name. A stored value that is no number differs.

    >>> same_values("priority", {"statement 1": 49, "statement 2": 2}, {"statement 1": 0.5, "statement 2": 2}).example
    'statement 1: stored 49, computed 0.5'
    """
    tolerance = TOLERANCES.get(quantity, EXACT)
    both = [name for name in computed if name in stored]
    apart = {name: abs(stored[name] - computed[name]) for name in both}
    wrong = [name for name in both if not apart[name] <= tolerance * max(1.0, abs(computed[name]))]
    worst = max(wrong, key=lambda name: (math.isfinite(apart[name]), apart[name]), default=None)
    finite = [value for value in apart.values() if math.isfinite(value)]
    return Agreement(
        quantity=quantity,
        compared=len(both),
        differ=len(wrong),
        tolerance=tolerance,
        largest=max(finite, default=None),
        example=f"{worst}: stored {_said(stored[worst])}, computed {_said(computed[worst])}" if worst else "",
    )


def _said(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "no number"


def same_lists(quantity: str, stored: Mapping[str, Sequence[str]], computed: Mapping[str, Sequence[str]]) -> Agreement:
    """Compares lists whole, in their order, by name."""
    both = [name for name in computed if name in stored]
    wrong = [name for name in both if list(stored[name]) != list(computed[name])]
    example = ""
    if wrong:
        theirs, ours = (", ".join(lists[wrong[0]]) or "nothing" for lists in (stored, computed))
        example = f"{wrong[0]}: stored {theirs}; computed {ours}"
    return Agreement(quantity=quantity, compared=len(both), differ=len(wrong), tolerance=0, example=example)


def same_axes(stored_2S: Floats, computed_2S: Floats) -> Agreement:
    """Compares the stored axes, which places are computed with, with those of the votes, whatever their signs."""
    lengths = np.linalg.norm(stored_2S, axis=1) * np.linalg.norm(computed_2S, axis=1)
    cosines = np.abs((stored_2S * computed_2S).sum(axis=1)) / np.where(lengths > 0, lengths, 1.0)
    apart = np.where(lengths > 0, np.maximum(0.0, 1 - cosines), stored_2S.any(axis=1) != computed_2S.any(axis=1))
    worst = int(np.argmax(apart))
    differ = int((apart > SAME_AXIS).sum())
    return Agreement(
        quantity=AXES,
        compared=2,
        differ=differ,
        tolerance=SAME_AXIS,
        largest=float(apart[worst]),
        example=f"axis {worst + 1}: cosine {1 - apart[worst]:.4f}" if differ else "",
    )


def notes_on(agreements: Sequence[Agreement], stored: StoredMathematics) -> list[str]:
    """A sentence for each quantity that differs or cannot be compared."""
    notes = []
    for one in agreements:
        if one.quantity == PRIORITY and one.differ and _is_all_meta(stored):
            notes.append(
                f"All stored priorities are {META_PRIORITY:g}, which is for statements about the conversation: a known "
                "fault of Polis from March 2025 to mid-2026, which showed statements in random order. The priorities "
                "here are computed by the rule."
            )
        elif one.quantity == AXES and one.differ:
            notes.append(
                f"The stored axes, which places are computed with, are not those of the votes ({one.example})."
            )
        elif one.differ:
            by = f", by up to {one.largest:.3g}" if one.largest is not None else ""
            notes.append(
                f"Stored {one.quantity}: {one.differ} of {one.compared} not as the formulas give them from these votes"
                f"{by} ({one.example}). Computed ones are written."
            )
        elif not one.compared:
            notes.append(f"Stored {one.quantity}: nothing in it could be compared.")
    return notes


def _is_all_meta(stored: StoredMathematics) -> bool:
    meta = set(stored.meta or ())
    others = [value for one, value in (stored.priorities or {}).items() if one not in meta]
    return all(value == META_PRIORITY for value in others)
