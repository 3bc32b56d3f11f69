"""Text that is the same for every conversation, or nearly: how it was computed, words, limits."""

from __future__ import annotations

from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.results import Analysis
from solon.report.public.words import whole

_GROUPS_FOUND = (
    "People who voted alike were put into groups by calculation. A group is nothing but a likeness in votes: nobody "
    "joined it, it has no name, and it says nothing else about anyone."
)
_GROUPS_GIVEN = (
    "Who is in which group was given to this report in a table, which does not say how the groups came about. Most "
    "often people who voted alike are put together by calculation; how far the votes bear a grouping out stands under "
    "“How sure is this?”."
)
GLOSSARY = (
    ("Statement", "A sentence that somebody wrote and the others voted on."),
    ("Agree, disagree, pass", "The three votes. Pass means neither; it counts as a vote, not as absence."),
    ("Group", "People who voted alike, as far as calculation can tell. It says nothing else about them."),
    (
        "Group-aware consensus",
        "The shares of agreement in all groups, multiplied. It is high only where every group agrees, so a large group "
        "cannot outvote a small one. The column “In every group” is the same, made comparable across numbers of "
        "groups: 90% means about 90 of 100 in each group.",
    ),
    (
        "Divides",
        "How far apart the groups vote on a statement: 0 where they vote alike, 1 where they are wholly opposed.",
    ),
    (
        "Interval",
        "The range within which a share would stay in 95 of 100 repetitions if chance alone were at work (Wilson’s "
        "score interval).",
    ),
)

LIMITS = (
    "Who takes part in such a conversation has chosen to. Unless the section on who took part says otherwise, nothing "
    "here may be read as the opinion of a population.",
    "People vote on the words before them. A statement with two ideas in it, or an unclear one, leaves unsaid what "
    "they agreed with.",
    "Statements are not shown to everyone equally often: the software that collects votes prefers some. Numbers of "
    "votes therefore say nothing about importance.",
    "Agreement is easier to give than disagreement. A high share for one statement says less than its rank among all.",
    "Groups are one way of many to look at the votes. That there are groups does not mean that there are camps.",
)

_HOW_GROUPS = {
    "polis": "In the map’s plane, people who stand close together were put into the same group (k-means). Two to five "
    "groups were tried, and the number was taken whose groups are most clearly apart (by silhouette).",
    "ccai": "The groups were computed in the manner of the Collective Constitutional AI study: two directions of all "
    "votes, and people who stand close together on them put into the same group (k-means).",
    "stored": "The groups were not computed here: they were stored with the conversation by the software that ran it.",
    "exported": "The groups were not computed here: they are those that the export of the conversation names.",
}


def groups_given(analysis: Analysis) -> bool:
    """Were the groups neither computed here nor by the software that ran the conversation?"""
    return analysis.groups.method not in _HOW_GROUPS


def what_groups_are(analysis: Analysis) -> str:
    """What the reader has to know before the first group is spoken of."""
    return _GROUPS_GIVEN if groups_given(analysis) else _GROUPS_FOUND


def how_computed(analysis: Analysis) -> tuple[str, ...]:
    """The steps in plain words."""
    grouping = _HOW_GROUPS.get(analysis.groups.method, "The groups were not computed here: they were given in a table.")
    return (
        "Only the latest vote of each person on each statement counts. In all files of this report’s making, agree is "
        "+1, pass 0, disagree −1.",
        "The two directions were sought along which votes differ most (principal components). Statements that a person "
        "did not see count with the average vote there, and people are placed by what they did see.",
        grouping,
        "For each statement and group, the share of agreement was smoothed a little, (agrees + 1) / (votes + 2), and "
        "the shares of all groups multiplied: this orders the list of agreement. The shares printed are not smoothed.",
        "A statement sets a group apart if its members vote so more often than all others, and more often than chance "
        "would explain (two tests at 90%).",
        f"A statement is ranked only if each group cast at least {MIN_GROUP_VOTES} votes on it.",
    )


def facts(analysis: Analysis, *, seed: int, version: str) -> list[tuple[str, str]]:
    """For those who want to compute it again."""
    tried = ", ".join(f"{k}: {value:.3f}" for k, value in sorted(analysis.groups.silhouettes.items()))
    rows = [
        ("Software", f"Solon {version}"),
        ("Seed", str(seed)),
        ("Groups by", analysis.groups.method),
        ("Vote sign", "agree +1, disagree −1, pass 0"),
        ("Share of all differences that the map shows", whole(float(analysis.projection.variance_2.sum()))),
    ]
    if tried:
        rows.append(("Silhouette by number of groups", tried))
    return rows
