"""Which principles agree, and which judge the same pairs differently. It takes several principles for each pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean
from typing import Annotated

from pydantic import Field

from solon.evals.bias import prefers
from solon.evals.origin import Origin
from solon.evals.statistics import Rate, wilson
from solon.records import Comparison, Record


class Conflict(Record):
    """Two principles, on pairs that were judged by both."""

    first: str
    second: str
    n: int
    """Pairs judged by both."""
    distance: float
    """Mean difference of their probabilities, in [0, 1]."""
    decided: int
    """Of these pairs: those on which each of them prefers an answer."""
    conflicts: Rate | None
    """Of these: those on which they prefer different answers; null where there are none."""


class Principles(Record):
    """What principles say of the same pairs."""

    pairs: int
    """Judged by more than one."""
    agreement: dict[str, Rate | None]
    """By principle: how often the others, in the mean, prefer the same answer; of pairs where both prefer one."""
    conflicts: tuple[Conflict, ...]
    """For every two, those that conflict most often first."""
    origin: Annotated[Origin | None, Field(exclude_if=lambda origin: origin is None)] = None
    """Of a sample; else not in the JSON."""


def by_principle(label: Comparison) -> dict[str, float]:
    """What each principle says of a pair: the mean of its verdicts, of which all must have been read."""
    found: dict[str, list[float | None]] = {}
    for one in label.verdicts:
        found.setdefault(one.principle_id, []).append(one.p_a_preferred)
    read = {name: [p for p in said if p is not None] for name, said in found.items()}
    return {name: fmean(known) for name, known in read.items() if len(known) == len(found[name])}


def principles(comparisons: Sequence[Comparison]) -> Principles | None:
    """None if no pair was judged by several.

    Example: p and q say 0.9 and 0.2 of one pair, 0.8 and 0.7 of another: distance 0.4, conflicts 1/2, agreement 1/2.
    """
    judged = [said for said in map(by_principle, comparisons) if len(said) > 1]
    if not judged:
        return None
    names = list(dict.fromkeys(name for said in judged for name in said))
    found = [_conflict(first, second, judged) for first, second in combinations(names, 2)]
    return Principles(
        pairs=len(judged),
        agreement={name: _agreement(name, judged) for name in names},
        conflicts=tuple(sorted((one for one in found if one.n), key=_most_first)),
    )


def _conflict(first: str, second: str, judged: Sequence[Mapping[str, float]]) -> Conflict:
    both = [(said[first], said[second]) for said in judged if first in said and second in said]
    decided = [(one, two) for one, two in both if prefers(one) and prefers(two)]
    differ = sum(prefers(one) != prefers(two) for one, two in decided)
    return Conflict(
        first=first,
        second=second,
        n=len(both),
        distance=fmean(abs(one - two) for one, two in both) if both else 0.0,
        decided=len(decided),
        conflicts=wilson(differ, len(decided)) if decided else None,
    )


def _agreement(name: str, judged: Sequence[Mapping[str, float]]) -> Rate | None:
    sides = [(prefers(said[name]), prefers(_others(name, said))) for said in judged if name in said]
    both = [(own, others) for own, others in sides if own and others]
    return wilson(sum(own == others for own, others in both), len(both)) if both else None


def _others(name: str, said: Mapping[str, float]) -> float:
    return fmean(p for other, p in said.items() if other != name)


def _most_first(one: Conflict) -> tuple[float, float]:
    return -(one.conflicts.rate if one.conflicts else 0.0), -one.distance
