"""How good the preference model of a run is: on comparisons that it did not learn from, and on single faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from solon.evals.grader import Response, Score
from solon.evals.labels import Better
from solon.evals.preference import PreferenceQuality, ScoredPair, preference_quality
from solon.pipeline.grading import HeldOutMargin, held_out_pairs, one_fault_apart
from solon.records import Comparison

if TYPE_CHECKING:
    from solon.pipeline.work import Work


def quality_of_preference(
    work: Work,
    compared: Sequence[Comparison],
    responses: Sequence[Response],
    rows: Sequence[Score],
    known: Mapping[str, Better],
) -> PreferenceQuality | None:
    """None in runs without one. `compared`: all comparisons of the run; `known`: which answer is truly better."""
    if "pm" not in work.inputs:
        return None
    kept_out = held_out_pairs(work.read("pm/held-out", HeldOutMargin), compared, known)
    return preference_quality([*kept_out, *_fault_pairs(work, responses, rows)])


def _fault_pairs(work: Work, responses: Sequence[Response], rows: Sequence[Score]) -> list[ScoredPair]:
    """Scores of the preference model on pairs of answers that differ in exactly one fault."""
    from solon.pipeline.learning import score_answers

    if work.given.truth is None:
        return []
    pairs = one_fault_apart(responses, rows, work.given.truth.grader.card)
    scored = iter(score_answers(work, [(one.prompt.id, one.text) for *both, _ in pairs for one in both]))
    return [ScoredPair(margin=next(scored) - next(scored), better="b", fault=fault) for *_, fault in pairs]
