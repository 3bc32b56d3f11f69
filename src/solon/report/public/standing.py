"""Text that is nearly the same for every conversation: what groups are, how all was computed, and by what."""

from __future__ import annotations

from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.grouping import PLACES
from solon.collective.opinion.results import Analysis
from solon.report.public.language import Language, mark

_GROUPS_FOUND = mark(
    "A calculation put people who voted alike into groups. A group is nothing but a likeness in votes: nobody joined "
    "it, it has no name, and it says nothing else about anyone."
)
_GROUPS_GIVEN = mark(
    "This report was given a table of who is in which group. The table does not say how the groups came about; most "
    "often a calculation puts people together who voted alike. How far the votes bear these groups out stands under "
    "“How sure is this?”."
)
_HOW_GROUPS = {
    "polis": mark("People who stand close together on the map were put into the same group (k-means)."),
    "ccai": mark(
        "The groups were computed as in the Collective Constitutional AI study: along two directions of all votes, "
        "people who stand close together were put into the same group (k-means)."
    ),
    "stored": mark("The groups were not computed here: the software that ran the conversation stored them with it."),
    "exported": mark("The groups were not computed here: they are those that the export of the conversation names."),
}


_NUMBER_CHOSEN = mark(
    "The calculation was repeated from other starts and with other draws of the same people. Each time it took the "
    "number of groups that are most clearly apart (silhouette); this report has the number that most of these tries "
    "took."
)
_NUMBER_SET = mark("How many groups there are was set beforehand.")


def groups_given(analysis: Analysis) -> bool:
    """Were the groups neither computed here nor by the software that ran the conversation?"""
    return analysis.groups.method not in _HOW_GROUPS


def what_groups_are(analysis: Analysis, say: Language) -> str:
    """What the reader has to know before the first group is spoken of."""
    return say(_GROUPS_GIVEN if groups_given(analysis) else _GROUPS_FOUND)


def how_computed(analysis: Analysis, say: Language, *, pooled: bool) -> tuple[str, ...]:
    """The steps in plain words. `pooled`: statements are ranked by everyone's votes, not by group."""
    given = mark("The groups were not computed here: they were given in a table.")
    return (
        say(
            "Only the latest vote of each person on each statement counts. In all files behind this report, agree is "
            "+1, pass 0, disagree −1."
        ),
        say(
            "The two directions were sought along which votes differ most (principal components). Where a person did "
            "not see a statement, the average vote stands in; people are placed by what they did see."
        ),
        say.prose(say(_HOW_GROUPS.get(analysis.groups.method, given)), _how_many(analysis, say)),
        _how_ordered(say, pooled),
        say(
            "A statement sets a group apart if its members vote so more often than all others, and more often than "
            "chance explains (two tests at 90%%)."
        ),
        _how_ranked(say, pooled),
    )


def _how_many(analysis: Analysis, say: Language) -> str:
    """What settled the number of groups, where they were computed here."""
    if analysis.groups.method not in PLACES:
        return ""
    return say(_NUMBER_CHOSEN if analysis.groups.tries else _NUMBER_SET)


def _how_ordered(say: Language, pooled: bool) -> str:
    if pooled:
        return say(
            "To order the list of agreement, everyone’s share for a statement was smoothed a little, (agrees + 1) / "
            "(votes + 2). The shares printed are not smoothed."
        )
    return say(
        "To order the list of agreement, each group’s share for a statement was smoothed a little, (agrees + 1) / "
        "(votes + 2), and the shares of all groups were multiplied. The shares printed are not smoothed."
    )


def _how_ranked(say: Language, pooled: bool) -> str:
    enough = say.number(MIN_GROUP_VOTES)
    if pooled:
        return say("A statement is ranked only if it has at least %(enough)s votes.", enough=enough)
    return say("A statement is ranked only if each group cast at least %(enough)s votes on it.", enough=enough)


def facts(analysis: Analysis, say: Language, *, seed: int, version: str) -> list[tuple[str, str]]:
    """For those who want to compute it again."""
    tried = "; ".join(f"{k}: {say.number(value, 3)}" for k, value in sorted(analysis.groups.silhouettes.items()))
    rows = [
        (say("Software"), f"Solon {version}"),
        (say("Seed"), str(seed)),
        (say("Groups by"), analysis.groups.method),
        (say("Vote sign"), say("agree +1, disagree −1, pass 0")),
        (
            say("Share of all differences that the map shows"),
            say.whole(float(analysis.projection.variance_2.sum())),
        ),
    ]
    if tried:
        rows.append((say("Silhouette by number of groups"), say.apart(tried)))
    return rows
