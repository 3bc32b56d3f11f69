"""The report in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.conversation import Statement
from solon.report.public.opinions import Group, Opinions, range_in_words, who_is_divided
from solon.report.public.words import listed, many, spelt, whole


@dataclass(frozen=True, kw_only=True)
class Point:
    """One item: a few words in bold, a sentence, perhaps a statement in its own words, and what stands after it."""

    lead: str
    text: str
    statement: Statement | None = None
    after: str = ""


def in_short(
    found: Opinions, *, given: bool = False, covered: str = "", population: str | None, sure: str
) -> tuple[Point, ...]:
    """What a reader takes away who reads nothing else.

    `given`: the groups were given, not found by how people voted. `covered`: one sentence on whom they leave out, or
    empty. `population`: one sentence on the sample against the
    population; None: not measured. `sure`: one sentence on how stable the groups are, or empty.
    """
    points = [_agreement(found), *_division(found), _groups(found.groups, given, covered)]
    if sure:
        points.append(Point(lead="How sure:", text=sure))
    text = "whether those who took part resemble the population was not measured. The report speaks for them alone."
    points.append(Point(lead="Whose opinion:", text=population or text))
    return tuple(points)


def _agreement(found: Opinions) -> Point:
    lead = "Agreement:"
    where = "" if found.pooled or len(found.groups) < 2 else " in every group"
    if not found.ranked:
        return Point(lead=lead, text="on no statement did enough people vote to say.")
    if not found.agreed:
        return Point(lead=lead, text=f"none of {many(found.ranked, 'statement')} found a majority{where}.")
    first = found.agreed[0]
    text = f"{many(found.majorities, 'statement')} of {found.ranked:,} found a majority{where}. Foremost:"
    share = whole(first.everyone.agree.rate) if found.pooled else range_in_words(first)
    return Point(lead=lead, text=text, statement=first.statement, after=f"({share} agree).")


def _division(found: Opinions) -> list[Point]:
    if found.pooled:
        text = "how the groups differ cannot be shown, for too few people of at least one voted on each statement."
        return [Point(lead="Division:", text=text)]
    if not found.dividing:
        return []
    first = found.dividing[0]
    return [
        Point(
            lead="Division:",
            text="nothing sets the groups further apart than",
            statement=first.statement,
            after=f"({who_is_divided(first)}).",
        )
    ]


def _groups(groups: Sequence[Group], given: bool, covered: str) -> Point:
    if len(groups) < 2:
        return Point(lead="Groups:", text="people do not fall into separate groups by how they voted.")
    parts = [one.letter if one.share is None else f"{one.letter} ({whole(one.share)})" for one in groups]
    who = "this report was given" if given else "by how they voted, people fall into"
    return Point(
        lead="Groups:", text=f"{who} {spelt(len(groups), 'group')}: {listed(parts)}.{covered and f' {covered}'}"
    )
