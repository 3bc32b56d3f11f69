"""What most agree on, what divides and whom, what each group is known by, and where people were unsure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from solon.collective.conversation import Statement
from solon.collective.opinion.consensus import MIN_GROUP_VOTES, in_every_group
from solon.collective.opinion.results import Analysis, Representative
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.people.suppression import suppress_row
from solon.evals.statistics import Rate
from solon.report.public.language import Language, letter
from solon.report.public.map import badge
from solon.report.public.tally import StatementVotes, Tally

AGREED, REFUSED, DIVIDING, UNSURE, KNOWN_BY = 10, 5, 8, 5, 5
"""How many statements each list shows at most."""
MANY_PASS = 0.3
"""Share of passes above which people count as unsure of a statement (as in the report of Polis)."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """One opinion group, as the page speaks of it."""

    letter: str
    name: str
    """As the data names it."""
    size: int | None
    """People in it; None: withheld, because it is small or would give a small one away."""
    share: float | None
    """Of all people in groups; None: withheld."""
    mark: Markup
    known_by: tuple[Known, ...]


@dataclass(frozen=True, kw_only=True)
class Known:
    """A statement that sets a group apart, with the share that votes so in it and among all other groups together."""

    votes: StatementVotes
    agree: bool
    """Or disagree."""
    inside: Rate
    outside: Rate | None
    n: int


@dataclass(frozen=True, kw_only=True)
class Opinions:
    """The four lists, each in its order."""

    agreed: tuple[StatementVotes, ...]
    refused: tuple[StatementVotes, ...]
    dividing: tuple[StatementVotes, ...]
    unsure: tuple[StatementVotes, ...]
    groups: tuple[Group, ...]
    majorities: int
    """Statements that a majority of every group agrees with; `agreed` holds the first of them."""
    rejections: int
    """Statements that a majority of every group disagrees with; `refused` holds the first of them."""
    ranked: int
    """Statements with enough votes from every group to be ranked."""
    pooled: bool = False
    """There are groups, but no statement could be ranked by them: what is agreed is ranked by everyone's votes."""


def opinions_of(analysis: Analysis, statements: Sequence[StatementVotes]) -> Opinions:
    """The lists. Only statements on which every group cast `MIN_GROUP_VOTES` votes are ranked.

    None of their tallies is withheld, for each is of `SUPPRESS_BELOW` people or more. A group of fewer people can never
    cast so many votes. Then nothing may be said of groups, and what all voters agree on takes the place of what every
    group does.
    """
    every = in_every_group(analysis.conversation, analysis.groups)
    ranked = [one for one in statements if every.ranked_S[one.column]]
    agreed = [one for one in ranked if every.agreed_S[one.column]]
    refused = [one for one in ranked if every.rejected_S[one.column]]
    unsure = [one for one in statements if one.everyone.n >= MIN_GROUP_VOTES and one.everyone.passed.rate > MANY_PASS]
    dividing = [] if every.pooled else [one for one in ranked if beyond_chance(one)]
    return Opinions(
        agreed=_first(agreed, _agreement if every.pooled else lambda one: one.consensus, AGREED),
        refused=_first(refused, lambda one: _refusal(one, pooled=every.pooled), REFUSED),
        dividing=_first(dividing, lambda one: one.polarisation, DIVIDING),
        unsure=_first(unsure, lambda one: one.everyone.passed.rate**2 * one.everyone.passes, UNSURE),
        groups=_groups(analysis, statements),
        majorities=len(agreed),
        rejections=len(refused),
        ranked=len(ranked),
        pooled=every.pooled,
    )


def beyond_chance(one: StatementVotes) -> bool:
    """Do two groups differ by more than chance explains? Their 95% intervals, of agreement or disagreement, lie apart.

    Of hundreds of statements the ones with the fewest votes differ most, by luck; this keeps them off the list.
    """
    rates = ([tally.agree for tally in one.groups], [tally.disagree for tally in one.groups])
    return any(
        max((rate.low for rate in own), default=0) > min((rate.high for rate in own), default=1) for own in rates
    )


def who_is_divided(one: StatementVotes, say: Language) -> str:
    """The groups from the most to the least agreement, in words.

    Example: "81% of Group A and 13% of Group B agree".
    """
    order = sorted(range(len(one.groups)), key=lambda i: (-one.groups[i].agree.rate, i))
    parts = [
        say("%(share)s of %(group)s", share=say.whole(one.groups[i].agree.rate), group=say.group(i)) for i in order
    ]
    return say("%(groups)s agree", groups=say.listed(parts)) if parts else ""


def range_in_words(one: StatementVotes, say: Language) -> str:
    """Example: "from 84% in Group B to 97% in Group A agree"."""
    if len(one.groups) < 2:
        return say("%(share)s agree", share=say.whole(one.everyone.agree.rate))
    rates = [tally.agree.rate for tally in one.groups]
    low, high = rates.index(min(rates)), rates.index(max(rates))
    least, most = say.whole(rates[low]), say.whole(rates[high])
    if least == most:
        return say("%(share)s agree in each group", share=least)
    return say(
        "from %(least)s in %(first)s to %(most)s in %(last)s agree",
        least=least,
        first=say.group(low),
        most=most,
        last=say.group(high),
    )


def groups_named(groups: Sequence[Group], say: Language) -> str:
    """Example: "A (60%) and B (40%)"."""
    return say.listed([one.letter if one.share is None else f"{one.letter} ({say.whole(one.share)})" for one in groups])


def quote(statement: Statement, say: Language, spoken: str) -> Markup:
    """A statement in its own words, which may run the other way than the page. `spoken`: their language, or empty."""
    if not statement.text.strip():
        return Markup("<em>{}</em>").format(say("a statement without words"))
    language = Markup(' lang="{}"').format(spoken) if spoken else Markup("")
    return Markup('<q dir="auto"{}>{}</q>').format(language, statement.text)


def _first(
    found: Sequence[StatementVotes], key: Callable[[StatementVotes], float], count: int
) -> tuple[StatementVotes, ...]:
    return tuple(sorted(found, key=lambda one: (-key(one), one.id))[:count])


def _agreement(one: StatementVotes) -> float:
    """As consensus, of everyone."""
    return (one.everyone.agrees + 1) / (one.everyone.n + 2)


def _refusal(one: StatementVotes, *, pooled: bool) -> float:
    """The product of consensus, for disagreement."""
    product = 1.0
    for tally in (one.everyone,) if pooled or not one.groups else one.groups:
        product *= (tally.disagrees + 1) / (tally.n + 2)
    return product


def _groups(analysis: Analysis, statements: Sequence[StatementVotes]) -> tuple[Group, ...]:
    sizes = analysis.groups.sizes
    hidden = suppress_row(sizes, threshold=SUPPRESS_BELOW)
    public = {one.id: one for one in statements}
    return tuple(
        Group(
            letter=letter(label),
            name=name,
            size=None if hidden[label] else sizes[label],
            share=None if hidden[label] else sizes[label] / max(sum(sizes), 1),
            mark=badge(label),
            known_by=tuple(
                _known(one, public[one.comment_id], label)
                for one in analysis.representative
                if one.group == name and one.comment_id in public and public[one.comment_id].groups[label].shown
            )[:KNOWN_BY],
        )
        for label, name in enumerate(analysis.groups.names)
    )


def _known(one: Representative, votes: StatementVotes, label: int) -> Known:
    own = votes.groups[label]
    others = [tally for i, tally in enumerate(votes.groups) if i != label]
    rest = Tally(
        agrees=sum(tally.agrees for tally in others),
        passes=sum(tally.passes for tally in others),
        disagrees=sum(tally.disagrees for tally in others),
    )
    open_ = rest.n >= SUPPRESS_BELOW and not any(tally.hidden for tally in others)
    agree = one.direction == "agree"
    return Known(
        votes=votes,
        agree=agree,
        inside=own.agree if agree else own.disagree,
        outside=(rest.agree if agree else rest.disagree) if open_ else None,
        n=own.n,
    )
