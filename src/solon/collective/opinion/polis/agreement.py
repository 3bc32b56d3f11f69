"""Whether stored mathematics says what the formulas give from the votes: a table of the largest differences.

What an analysis writes is always computed. Stored values may be wrong: a fault of Polis made every priority 49 from
March 2025 to mid-2026; votes go on after mathematics is stored, and exports may lack some.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from solon.collective.conversation import Floats
from solon.collective.opinion.polis.matching import Matched
from solon.collective.opinion.polis.priority import META_PRIORITY
from solon.collective.opinion.polis.projection import axes
from solon.collective.opinion.polis.stored import StoredMathematics
from solon.collective.opinion.results import Agreement, Analysis

CONSENSUS, PRIORITY, EXTREMITY, PLACES = "group-aware consensus", "priority", "extremity", "places of statements"
EXACT = 1e-9
"""What rounding leaves."""
AXES, SAME_AXIS = "axes", 1e-3
"""1 - |cosine|: servers find axes by iteration, and do not always go to the end."""

Values = Mapping[str, float]
"""By what they are of, such as `statement 7 on axis 1`."""


def compare(analysis: Analysis, matched: Matched, stored: StoredMathematics) -> tuple[Agreement, ...]:
    """Everything that the stored file and the analysis both say. What the file lacks is left out."""
    ids = analysis.conversation.statement_ids.tolist()
    computed = {
        CONSENSUS: _by_statement(ids, analysis.consensus_S.tolist()),
        PRIORITY: _by_statement(ids, analysis.priority_S.tolist()),
        EXTREMITY: _by_statement(ids, analysis.extremity_S.tolist()),
        PLACES: _by_axis(ids, analysis.projection.statements_S2.T.tolist()),
    }
    theirs = _stored_values(stored)
    values = [same_values(name, theirs[name], ours) for name, ours in computed.items() if name in theirs]
    return (*values, same_axes(matched.components_2S, axes(matched.rated)[0]))


def _stored_values(stored: StoredMathematics) -> dict[str, Values]:
    """What is there; empty where its form is not known."""
    ids = stored.statement_ids
    found: dict[str, Values] = {}
    for name, by_statement in ((CONSENSUS, stored.consensus), (PRIORITY, stored.priorities)):
        if by_statement is not None:
            found[name] = _by_statement(by_statement.keys(), by_statement.values())
    if (extremity := stored.axes.extremity) is not None:
        found[EXTREMITY] = _by_statement(ids, extremity) if len(extremity) == len(ids) else {}
    if (places := stored.axes.places) is not None:
        found[PLACES] = _by_axis(ids, places) if all(len(axis) == len(ids) for axis in places) else {}
    return found


def _by_statement(ids: Iterable[int], values: Iterable[float]) -> Values:
    return {f"statement {one}": value for one, value in zip(ids, values, strict=True)}


def _by_axis(ids: Sequence[int], places: Sequence[Sequence[float]]) -> Values:
    return {
        f"statement {one} on axis {axis}": value
        for axis, values in enumerate(places, start=1)
        for one, value in zip(ids, values, strict=True)
    }


def same_values(quantity: str, stored: Values, computed: Values) -> Agreement:
    """Compares what both have, by name. A stored value that is no number differs.

    >>> same_values("priority", {"statement 1": 49, "statement 2": 2}, {"statement 1": 0.5, "statement 2": 2}).example
    'statement 1: stored 49, computed 0.5'
    """
    apart = {name: abs(stored[name] - value) for name, value in computed.items() if name in stored}
    wrong = [name for name, value in apart.items() if not value <= EXACT * max(1.0, abs(computed[name]))]
    worst = max(wrong, key=lambda name: (math.isfinite(apart[name]), apart[name]), default=None)
    return Agreement(
        quantity=quantity,
        compared=len(apart),
        differ=len(wrong),
        tolerance=EXACT,
        largest=max(filter(math.isfinite, apart.values()), default=None),
        example=f"{worst}: stored {_said(stored[worst])}, computed {_said(computed[worst])}" if worst else "",
    )


def _said(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "no number"


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
