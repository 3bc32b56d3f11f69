"""Votes on statements, of everyone and by group, with small numbers withheld.

Shapes: P participants, S statements, K groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from solon.collective.conversation import Statement
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.opinion.counts import Counts, counts_of, everybody
from solon.collective.opinion.results import Analysis
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.people.suppression import suppress_row
from solon.evals.statistics import Rate, wilson
from solon.report.public.language import Language


@dataclass(frozen=True, kw_only=True)
class Tally:
    """The votes of some people on one statement."""

    agrees: int
    passes: int
    disagrees: int
    hidden: bool = False
    """So few votes that they are not shown."""

    @property
    def n(self) -> int:
        return self.agrees + self.passes + self.disagrees

    @cached_property
    def agree(self) -> Rate:
        """Share of the votes, passes included, with Wilson's interval."""
        return wilson(self.agrees, self.n)

    @cached_property
    def disagree(self) -> Rate:
        return wilson(self.disagrees, self.n)

    @cached_property
    def passed(self) -> Rate:
        return wilson(self.passes, self.n)

    @property
    def shown(self) -> bool:
        """Is there anything to show?"""
        return self.n > 0 and not self.hidden


@dataclass(frozen=True, kw_only=True)
class StatementVotes:
    """One statement with everything the page says of it."""

    column: int
    """Its place in the conversation."""
    statement: Statement
    everyone: Tally
    """All who voted on it, in a group or not."""
    groups: tuple[Tally, ...]
    consensus: float
    """Product over groups of (agrees + 1) / (votes + 2)."""
    polarisation: float
    important: int | None = None
    """How many people called it important; None: they were not asked, or fewer than `SUPPRESS_BELOW`."""

    @property
    def id(self) -> int:
        return self.statement.id

    @property
    def in_each(self) -> float:
        """The geometric mean of the groups' shares: the product, comparable across numbers of groups."""
        return float(self.consensus ** (1 / max(len(self.groups), 1)))

    @property
    def open(self) -> bool:
        """Is every group's tally shown? Otherwise figures made from all of them would give one away."""
        return all(tally.shown for tally in (self.everyone, *self.groups))

    @property
    def withheld(self) -> int:
        """How many of its tallies are not shown."""
        return sum(tally.hidden for tally in (self.everyone, *self.groups))


def is_public(statement: Statement, voters: int) -> bool:
    """May the text be shown? Accepted ones, and those nobody moderated that at least `MIN_GROUP_VOTES` people voted on.

    A statement that waits for a moderator has its author's vote alone, and may say anything.
    """
    if statement.moderated < 0 or statement.is_meta:
        return False
    return statement.moderated > 0 or voters >= MIN_GROUP_VOTES


def statement_votes(analysis: Analysis) -> tuple[StatementVotes, ...]:
    """Every statement whose text may be shown, by id. Numbers below `SUPPRESS_BELOW` are withheld."""
    talk = analysis.conversation
    by_group, by_all = counts_of(talk, analysis.groups), everybody(talk)
    found = []
    for column, statement in enumerate(talk.statements):
        everyone = _tally(by_all, 0, column)
        if not is_public(statement, everyone.n):
            continue
        sizes = tuple(by_group.seen[:, column].tolist())
        # Those in no group are part of the sum, but no group to protect.
        hidden = suppress_row(sizes, rest=everyone.n - sum(sizes), threshold=SUPPRESS_BELOW)
        found.append(
            StatementVotes(
                column=column,
                statement=statement,
                everyone=_tally(by_all, 0, column, hidden=everyone.n < SUPPRESS_BELOW),
                groups=tuple(_tally(by_group, group, column, hidden=hidden[group]) for group in range(len(sizes))),
                consensus=float(analysis.consensus_S[column]),
                polarisation=float(analysis.polarization_S[column]),
                important=count if (count := statement.importance_votes or 0) >= SUPPRESS_BELOW else None,
            )
        )
    return tuple(found)


def withheld_in_words(statements: Sequence[StatementVotes], say: Language) -> str:
    """How much is withheld, in one sentence.

    Example: "5 of 90 counts of votes are withheld, on 3 of 30 statements."
    """
    rows, cells = sum(one.withheld > 0 for one in statements), sum(one.withheld for one in statements)
    if not cells:
        return say("No count of votes is withheld.")
    return say.many(
        "%(n)s of %(total)s counts of votes is withheld, on %(rows)s of %(all)s statements.",
        "%(n)s of %(total)s counts of votes are withheld, on %(rows)s of %(all)s statements.",
        cells,
        total=say.number(sum(1 + len(one.groups) for one in statements)),
        rows=say.number(rows),
        all=say.number(len(statements)),
    )


def _tally(counts: Counts, group: int, column: int, *, hidden: bool = False) -> Tally:
    agrees, disagrees, seen = (int(one[group, column]) for one in (counts.agrees, counts.disagrees, counts.seen))
    return Tally(agrees=agrees, passes=seen - agrees - disagrees, disagrees=disagrees, hidden=hidden)
