"""Results of an analysis and of stored mathematics in one form, so that they can be laid side by side.

A value is named for what it is of, such as `statement 7 on axis 1`; a list for its group or direction. What a stored
file lacks is not there; what it has in an unknown form is there and empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solon.collective.opinion.polis.stored import Listed, StoredMathematics
from solon.collective.opinion.results import Analysis, Majority, Representative

CONSENSUS, PRIORITY, EXTREMITY = "group-aware consensus", "priority", "extremity"
STATEMENT_PLACES, PEOPLE_PLACES = "places of statements", "places of people"
REPRESENTATIVENESS, MAJORITY = "representativeness", "majority statistics"
REPRESENTATIVE_LISTS, MAJORITY_LISTS = "representative statements", "majority lists"
STATISTICS = ("n_success", "n_trials", "p_success", "p_test", "repness", "repness_test")
DIRECTIONS = ("agree", "disagree")

Entry = Representative | Majority | Listed


@dataclass(frozen=True, kw_only=True)
class Comparable:
    """By quantity."""

    values: dict[str, dict[str, float]]
    lists: dict[str, dict[str, list[str]]]
    """Statement and direction, in order."""


def computed_results(analysis: Analysis) -> Comparable:
    """Those of an analysis."""
    ids = analysis.conversation.statement_ids.tolist()
    people = analysis.conversation.participant_ids.tolist()
    representative = [(_group(one.group), one.direction, one) for one in analysis.representative]
    majority = [(one.direction, one.direction, one) for one in analysis.majority]
    return Comparable(
        values={
            CONSENSUS: _of_statements(ids, analysis.consensus_S.tolist()),
            PRIORITY: _of_statements(ids, analysis.priority_S.tolist()),
            EXTREMITY: _of_statements(ids, analysis.extremity_S.tolist()),
            STATEMENT_PLACES: _places("statement", ids, analysis.projection.statements_S2.tolist()),
            PEOPLE_PLACES: _places("participant", people, analysis.projection.participants_P2.tolist()),
            REPRESENTATIVENESS: _statistics(representative),
            MAJORITY: _statistics(majority),
        },
        lists={
            REPRESENTATIVE_LISTS: _listed(map(_group, analysis.groups.names), representative),
            MAJORITY_LISTS: _listed(DIRECTIONS, majority),
        },
    )


def stored_results(stored: StoredMathematics) -> Comparable:
    """Those of a stored file. Of people's places it has those who are a base cluster of their own."""
    ids = stored.statement_ids
    values: dict[str, dict[str, float]] = {}
    lists: dict[str, dict[str, list[str]]] = {}
    for name, by_statement in ((CONSENSUS, stored.consensus), (PRIORITY, stored.priorities)):
        if by_statement is not None:
            values[name] = _of_statements(by_statement.keys(), by_statement.values())
    if (extremity := stored.axes.extremity) is not None:
        values[EXTREMITY] = _of_statements(ids, extremity) if len(extremity) == len(ids) else {}
    if (places := stored.axes.places) is not None:
        fit = bool(places) and all(len(axis) == len(ids) for axis in places)
        values[STATEMENT_PLACES] = _places("statement", ids, list(zip(*places, strict=True))) if fit else {}
    alone = [
        (one.members[0], (one.x, one.y))
        for one in stored.base_clusters
        if len(one.members) == 1 and one.x is not None and one.y is not None
    ]
    if alone:
        values[PEOPLE_PLACES] = _places("participant", *zip(*alone, strict=True))
    if stored.representative is not None:
        entries = [(_group(name), one.direction, one) for name, list_ in stored.representative.items() for one in list_]
        values[REPRESENTATIVENESS] = _statistics(entries)
        lists[REPRESENTATIVE_LISTS] = _listed(map(_group, stored.representative), entries)
    if stored.majority is not None:
        entries = [(name, name, one) for name, list_ in stored.majority.items() for one in list_]
        values[MAJORITY] = _statistics(entries)
        lists[MAJORITY_LISTS] = _listed(stored.majority, entries)
    return Comparable(values=values, lists=lists)


def _group(name: object) -> str:
    return f"group {name}"


def _of_statements(ids: Iterable[int], values: Iterable[float]) -> dict[str, float]:
    return {f"statement {one}": value for one, value in zip(ids, values, strict=True)}


def _places(kind: str, ids: Iterable[int], places: Iterable[Sequence[float]]) -> dict[str, float]:
    return {
        f"{kind} {one} on axis {axis}": value
        for one, place in zip(ids, places, strict=True)
        for axis, value in enumerate(place, start=1)
    }


def _statistics(entries: Iterable[tuple[str, str, Entry]]) -> dict[str, float]:
    return {
        f"{name}, statement {one.comment_id}, {direction}, {statistic}": value
        for name, direction, one in entries
        for statistic in STATISTICS
        if (value := getattr(one, statistic, None)) is not None
    }


def _listed(names: Iterable[str], entries: Iterable[tuple[str, str, Entry]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in names}
    for name, direction, one in entries:
        found.setdefault(name, []).append(f"{one.comment_id} {direction}")
    return found
