"""From each principle back to statements and votes: the file that goes with a constitution made from public input.

It is written beside the constitution as `NAME.trace.json`, and has everything that was left out, with its reason.
Shares are from 0 to 1. Intervals are at 95%.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

from solon.collective.conversation import VOTE_SIGN
from solon.collective.principles.merges import Merge
from solon.collective.principles.selection import Reason, Rule, ThresholdCount
from solon.collective.principles.wording import Stance
from solon.records import Record


class GroupVotes(Record):
    """What one opinion group thinks of a statement or an idea."""

    group: str
    agrees: int
    disagrees: int
    votes: int
    """Agrees, disagrees and passes."""
    consensus: float | None
    """Share of agrees, smoothed or not as the rule says; None without a vote."""
    low: float | None
    high: float | None
    """Wilson score interval of the share of agrees; None without a vote."""


class Figures(Record):
    """Consensus over all groups."""

    geometric_mean: float | None
    product: float | None
    """None if a group has no vote."""
    product_low: float | None
    product_high: float | None
    """Equal-tailed credible interval."""
    groups: tuple[GroupVotes, ...]


class StatementTrace(Record):
    """A statement as it was made and voted on."""

    id: int
    text: str
    """Its own words."""
    author: int | None
    moderated: int
    is_seed: bool | None
    figures: Figures
    became: str | None
    """Id of the principle it went into."""
    left_out: Reason | None
    """Why it went into none."""


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
    """What a person should look at in the wording."""
    figures: Figures
    """Of the idea: everybody who voted on any of its statements counts once."""
    rank: int
    """From 1, by the measure of the rule."""
    weight: float


class GroupTrace(Record):
    name: str
    members: int


class Trace(Record):
    """The whole way from votes to principles."""

    format: Literal["solon-trace-1"] = "solon-trace-1"
    constitution: str
    """File name."""
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
    """How many principles there would be at other thresholds."""
    numbers: tuple[ThresholdCount, ...] = ()
    """The consensus of the last of the first 10, 25, ... ideas."""
    merges_made_by: str
    """How the merges were proposed; empty without a merges file."""
    notes: tuple[str, ...]
    principles: tuple[PrincipleTrace, ...]
    merges: tuple[Merge, ...]
    statements: tuple[StatementTrace, ...]
    """All of the conversation, by id."""


def trace_path(constitution: Path) -> Path:
    """Beside the constitution: `mine.toml` has `mine.trace.json`."""
    return constitution.with_suffix(".trace.json")


def number(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if math.isnan(value) else float(value)
