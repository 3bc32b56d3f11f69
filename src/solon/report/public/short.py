"""The report in a few sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.report.public.language import Language
from solon.report.public.opinions import Group, Opinions, quote, range_in_words, who_is_divided


@dataclass(frozen=True, kw_only=True)
class Point:
    """One item: a word or two in bold, and a sentence, in which a statement may stand as markup."""

    lead: str
    text: str


def in_short(
    found: Opinions, say: Language, *, given: bool, covered: str, population: str | None, sure: str, spoken: str
) -> tuple[Point, ...]:
    """What a reader takes away who reads nothing else.

    `given`: the groups were given, not found by how people voted. `covered`: one sentence on whom they leave out, or
    empty. `population`: one sentence on the sample against the population; None: not measured. `sure`: one sentence
    on how stable the groups are, or empty. `spoken`: the language of the statements.
    """
    points = [Point(lead=say("Agreement:"), text=_agreement(found, say, spoken))]
    if found.refused:
        points.append(Point(lead=say("Rejection:"), text=_rejection(found, say, spoken)))
    if division := _division(found, say, spoken):
        points.append(Point(lead=say("Division:"), text=division))
    points.append(Point(lead=say("Groups:"), text=say.prose(_groups(found.groups, say, given), covered)))
    if sure:
        points.append(Point(lead=say("How sure:"), text=sure))
    text = say("Nobody measured whether those who took part resemble the population. The report speaks for them alone.")
    points.append(Point(lead=say("Whose opinion:"), text=population or text))
    return tuple(points)


def _agreement(found: Opinions, say: Language, spoken: str) -> str:
    of_all = found.pooled or len(found.groups) < 2
    if not found.ranked:
        return say("Too few people voted on each statement to say.")
    ranked = say.number(found.ranked)
    if not found.agreed:
        if of_all:
            return say("None of %(ranked)s statements found a majority.", ranked=ranked)
        return say("None of %(ranked)s statements found a majority in every group.", ranked=ranked)
    first = found.agreed[0]
    if found.pooled:
        shares = say("%(share)s agree", share=say.whole(first.everyone.agree.rate))
    else:
        shares = range_in_words(first, say)
    parts = {"ranked": ranked, "statement": quote(first.statement, say, spoken), "shares": shares}
    if of_all:
        return say.many(
            "%(n)s of %(ranked)s statements found a majority. First comes %(statement)s (%(shares)s).",
            "%(n)s of %(ranked)s statements found a majority. First comes %(statement)s (%(shares)s).",
            found.majorities,
            **parts,
        )
    return say.many(
        "%(n)s of %(ranked)s statements found a majority in every group. First comes %(statement)s (%(shares)s).",
        "%(n)s of %(ranked)s statements found a majority in every group. First comes %(statement)s (%(shares)s).",
        found.majorities,
        **parts,
    )


def _rejection(found: Opinions, say: Language, spoken: str) -> str:
    parts = {
        "ranked": say.number(found.ranked),
        "statement": quote(found.refused[0].statement, say, spoken),
    }
    if found.pooled or len(found.groups) < 2:
        return say.many(
            "A majority disagrees with %(n)s of %(ranked)s statements. First comes %(statement)s.",
            "A majority disagrees with %(n)s of %(ranked)s statements. First comes %(statement)s.",
            found.rejections,
            **parts,
        )
    return say.many(
        "A majority of every group disagrees with %(n)s of %(ranked)s statements. First comes %(statement)s.",
        "A majority of every group disagrees with %(n)s of %(ranked)s statements. First comes %(statement)s.",
        found.rejections,
        **parts,
    )


def _division(found: Opinions, say: Language, spoken: str) -> str:
    if found.pooled:
        return say("How the groups differ cannot be shown, for too few people of at least one voted on each statement.")
    if not found.dividing:
        return ""
    first = found.dividing[0]
    return say(
        "Nothing sets the groups further apart than %(statement)s (%(shares)s).",
        statement=quote(first.statement, say, spoken),
        shares=who_is_divided(first, say),
    )


def _groups(groups: Sequence[Group], say: Language, given: bool) -> str:
    if len(groups) < 2:
        return say("By how they voted, people do not fall into separate groups.")
    parts = [one.letter if one.share is None else f"{one.letter} ({say.whole(one.share)})" for one in groups]
    named = say.listed(parts)
    if given:
        return say.many(
            "This report was given %(n)s group: %(groups)s.",
            "This report was given %(n)s groups: %(groups)s.",
            len(groups),
            groups=named,
        )
    return say.many(
        "By how they voted, people fall into %(n)s group: %(groups)s.",
        "By how they voted, people fall into %(n)s groups: %(groups)s.",
        len(groups),
        groups=named,
    )
