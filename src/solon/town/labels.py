"""What the labels of both runs say of each fault: whether a model could have learnt from them to avoid it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from solon.figures.measures import Measure
from solon.figures.results import Results
from solon.figures.tasks import Arm
from solon.records import Comparison, Prompt, Record


class Taught(Record):
    """Of judged pairs of all seeds that differ in one fault alone, the mean label of the answer without it: 1 if the
    judge always prefers that, 0.5 if it tells nothing."""

    key: str
    """The fault."""
    standard: float
    public: float
    n: int
    """Pairs of both runs."""


def taught(results: Results, standard: Arm, public: Arm, faults: Mapping[str, Measure]) -> Iterator[Taught]:
    """Of each fault that a pair of either run differs in alone."""
    one, other = (_labels(results, arm, faults) for arm in (standard, public))
    for key in faults:
        if one[key] and other[key]:
            means = {"standard": float(np.mean(one[key])), "public": float(np.mean(other[key]))}
            yield Taught(key=key, n=len(one[key]) + len(other[key]), **means)


def _labels(results: Results, arm: Arm, faults: Mapping[str, Measure]) -> Mapping[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for seed in results.seeds:
        run = results.labels(arm, seed)
        for row in run.rows:
            alone = _only_fault(row, run.prompts[row.prompt_id], faults)
            if alone and row.p_a_preferred is not None:
                key, in_a = alone
                found[key].append(1 - row.p_a_preferred if in_a else row.p_a_preferred)
    return found


def _only_fault(row: Comparison, prompt: Prompt, faults: Mapping[str, Measure]) -> tuple[str, bool] | None:
    """The one that one of both answers has, and whether that is `a`."""
    a, b = ({key for key, measure in faults.items() if measure(prompt, text)} for text in (row.a, row.b))
    return (min(a ^ b), bool(a - b)) if len(a ^ b) == 1 else None
