"""From each principle back to statements and votes: the file that goes with a constitution made from public input.

It is written beside the constitution as `NAME.trace.json`, and has everything that was left out, with its reason.
Shares are from 0 to 1. Intervals are at 95%.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator

from solon.collective.conversation import VOTE_SIGN
from solon.collective.opinion.consensus import Consensus
from solon.collective.principles.merges import Merge
from solon.collective.principles.selection import Reason, Rule, ThresholdCount
from solon.collective.principles.wording import Stance
from solon.records import Record

Number = Annotated[float | None, BeforeValidator(lambda value: None if value is None or math.isnan(value) else value)]
"""None where there is nothing to count: JSON has no NaN."""


class GroupVotes(Record):
    """What one opinion group thinks of a statement or an idea. Shares are None without a vote."""

    group: str
    agrees: int
    disagrees: int
    votes: int
    consensus: Number
    """Share of agrees, smoothed or not as the rule says."""
    low: Number
    high: Number


class Figures(Record):
    geometric_mean: Number
    product: Number
    """None if a group has no vote; with the ends of its credible interval."""
    product_low: Number
    product_high: Number
    groups: tuple[GroupVotes, ...]

    @classmethod
    def of(cls, consensus: Consensus, at: int) -> Figures:
        """Of the statement at position `at`."""
        counts, shares = consensus.counts, (consensus.groups_KS, consensus.low_KS, consensus.high_KS)
        figures = (counts.agrees, counts.disagrees, counts.seen, *shares)
        rows = zip(consensus.names, *(one_KS[:, at].tolist() for one_KS in figures), strict=True)
        return cls(
            geometric_mean=float(consensus.geometric_S[at]),
            product=float(consensus.product_S[at]),
            product_low=float(consensus.product_low_S[at]),
            product_high=float(consensus.product_high_S[at]),
            groups=tuple(
                GroupVotes.model_validate(dict(zip(GroupVotes.model_fields, row, strict=True))) for row in rows
            ),
        )

    def in_words(self, stance: Stance) -> str:
        """On one line, for the `source` of a principle.

        `agree: group 0 58 of 60 (95% interval 0.89 to 0.99), group 1 ...; consensus 0.88 per group (product 0.78, 95%
        interval 0.70 to 0.85)`
        """
        if stance == "rejected":
            return "disagree: " + ", ".join(f"group {one.group} {one.disagrees} of {one.votes}" for one in self.groups)
        said = "agree: " + ", ".join(
            f"group {one.group} {one.agrees} of {one.votes}{_interval(one.low, one.high, ' (', 2)}"
            for one in self.groups
        )
        if self.geometric_mean is None or self.product is None:
            return said
        interval = _interval(self.product_low, self.product_high, ", ", 3) or ")"
        return f"{said}; consensus {self.geometric_mean:.3f} per group (product {self.product:.3f}{interval}"


class StatementTrace(Record):
    """A statement as it was made and voted on, and the principle it became or why it was left out."""

    id: int
    text: str
    author: int | None
    moderated: int
    is_seed: bool | None
    figures: Figures
    became: str | None
    left_out: Reason | None


class PrincipleTrace(Record):
    """Where a principle comes from."""

    id: str
    title: str
    stance: Stance = "agreed"
    """`rejected`: every group disagrees with it."""
    statements: tuple[int, ...]
    merge: str | None
    """The decision that made several statements one; see `merges`."""
    text: str
    """What was worded: a person's words, or the statement's own."""
    worded_by: Literal["template", "person"]
    """Who found the words of `text`; `template`: they are the statement's own, in quotation marks."""
    remarks: tuple[str, ...]
    figures: Figures
    """Of the idea: everybody who voted on any of its statements counts once."""
    rank: int
    """From 1, by the measure of the rule."""
    weight: float


class GroupTrace(Record):
    name: str
    members: int


class Trace(Record):
    format: Literal["solon-trace-1"] = "solon-trace-1"
    constitution: str
    constitution_sha256: str
    """Of its content, as a run records it."""
    topic: str
    participants: int
    statements_total: int
    votes_total: int
    """Latest votes, passes included."""
    vote_sign: str = VOTE_SIGN
    groups: tuple[GroupTrace, ...]
    groups_method: str
    in_no_group: int
    """Participants who count in no group, and so in no figure of this file."""
    rule: Rule
    threshold_in_force: float | None
    curve: tuple[ThresholdCount, ...] = ()
    numbers: tuple[ThresholdCount, ...] = ()
    """The consensus of the last of the first 10, 25, ... ideas."""
    merges_made_by: str
    """How the merges were proposed; empty without a merges file."""
    notes: tuple[str, ...]
    principles: tuple[PrincipleTrace, ...]
    merges: tuple[Merge, ...]
    statements: tuple[StatementTrace, ...]


def trace_path(constitution: Path) -> Path:
    """Beside the constitution: `mine.toml` has `mine.trace.json`."""
    return constitution.with_suffix(".trace.json")


def _interval(low: float | None, high: float | None, before: str, digits: int) -> str:
    if low is None or high is None:
        return ""
    return f"{before}95% interval {low:.{digits}f} to {high:.{digits}f})"
