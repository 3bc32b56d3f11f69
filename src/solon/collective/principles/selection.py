"""Which statements may become principles, and which ideas do: by consensus, by number, with a reason for all others.

The measure is the geometric mean over groups of their agreement: 0.85 asks as much of two groups as of five. A mean
lets many groups outvote one, the more so the lower the threshold, so a majority of every group has to agree besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from solon.collective.conversation import Bools, Conversation, Floats
from solon.collective.opinion.consensus import MIN_GROUP_VOTES, Consensus, geometric_mean, group_aware_consensus
from solon.collective.opinion.results import Groups
from solon.collective.phrases import many
from solon.records import Record

Measure = Literal["geometric-mean", "product"]
THRESHOLD = 0.85
"""The CCAI study's cut: a product of 0.723 for two groups, whose square root this is."""
MAJORITY = 0.5
"""Below it, an idea is opposed or passed over more often than agreed with: the least that `--weighted` asks."""
CURVE = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
NUMBERS = (10, 25, 50, 75)
"""Thresholds and numbers of ideas that a person may choose between; the study's constitution had 75."""


class Rule(Record):
    """How ideas are chosen."""

    measure: Measure = "geometric-mean"
    threshold: float | None = None
    """Least consensus; None: no least, unless neither `ideas` nor `weighted` is given."""
    ideas: int | None = None
    """How many at most, the highest first."""
    weighted: bool = False
    """Principles are drawn in proportion to their consensus instead of all alike."""
    minimum_votes: int = MIN_GROUP_VOTES
    """In every group."""
    smoothing: bool = True
    include_unmoderated: bool = False
    majority: bool = True
    """In every group more than half of the votes, passes included, must agree."""
    rejected: bool = False
    """What every group disagrees with becomes a principle as well, told as rejected; by the same measure."""

    @property
    def least(self) -> float | None:
        if self.threshold is not None:
            return self.threshold
        if self.ideas is not None:
            return None
        return MAJORITY if self.weighted else THRESHOLD


class Asked(Record):
    """What somebody asks of a rule. What they leave open follows from the groups and from what they ask."""

    measure: Measure = "geometric-mean"
    threshold: float | None = Field(default=None, ge=0, le=1)
    ideas: int | None = Field(default=None, ge=1)
    weighted: bool = False
    minimum_votes: int | None = Field(default=None, ge=0)
    """None: `minimum_votes_for` the groups."""
    smoothing: bool = True
    include_unmoderated: bool = False
    majority: bool | None = None
    """None: yes, unless the threshold is below 0.5."""
    rejected: bool = False

    def rule(self, groups: Groups) -> Rule:
        votes = minimum_votes_for(groups) if self.minimum_votes is None else self.minimum_votes
        usual = self.threshold is None or self.threshold >= MAJORITY
        settled = {"minimum_votes": votes, "majority": usual if self.majority is None else self.majority}
        return Rule.model_validate(self.model_dump() | settled)


def minimum_votes_for(groups: Groups) -> int:
    """The votes to ask of every group by default: 10, or half of the smallest group's people if that is fewer.

    A group of 8 can never cast 10 votes; asking it for 4 lets it speak, with the wide interval that its size gives.
    """
    smallest = min(groups.sizes, default=0)
    return max(1, min(MIN_GROUP_VOTES, (smallest + 1) // 2))


Code = Literal[
    "rejected", "meta", "unmoderated", "left-out-by-person", "few-votes", "low-consensus", "beyond-number", "not-worded"
]


class Reason(Record):
    """Why something did not become a principle."""

    code: Code
    detail: str


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What was chosen among ideas, and how all of them stand, by their positions. Arrays [I]."""

    consensus: Consensus
    """Of the ideas, smoothed or not as the rule says."""
    rule: Rule
    value_I: Floats
    """By the measure of the rule; NaN where a group has no vote."""
    rejected_I: Bools
    """The value is of disagreement: the rule lets rejected ideas in, and more disagree than agree."""
    ranked: tuple[int, ...]
    """Those that some threshold lets in, highest value first; ties go to the lower id."""
    positions: tuple[int, ...]
    """Those that were chosen: the first of `ranked`."""
    reasons: dict[int, Reason]


class ThresholdCount(Record):
    """How many ideas there are from a threshold on."""

    threshold: float
    ideas: int


def admissible(conversation: Conversation, *, include_unmoderated: bool) -> tuple[Conversation, dict[int, Reason], str]:
    """The statements that moderation lets through, the reasons for the others by id, and a note or nothing.

    A conversation in which no statement was ever moderated is taken as it is: there, 0 says nothing. Where moderation
    was not strict, people voted on whatever was not rejected, and so all of that counts.
    """
    never = bool(conversation.statements) and all(one.moderated == 0 for one in conversation.statements)
    lenient = conversation.strict_moderation is False
    reasons: dict[int, Reason] = {}
    for one in conversation.statements:
        if one.moderated < 0:
            reasons[one.id] = Reason(code="rejected", detail="rejected in moderation")
        elif one.is_meta:
            reasons[one.id] = Reason(code="meta", detail="about the conversation itself, not its subject")
        elif one.moderated == 0 and not (never or lenient or include_unmoderated):
            detail = "never moderated; --include-unmoderated lets such statements in"
            reasons[one.id] = Reason(code="unmoderated", detail=detail)
    kept_S = np.array([one.id not in reasons for one in conversation.statements], dtype=bool)
    note = ""
    if never:
        note = "No statement of this conversation was ever moderated, so all of them count."
    elif lenient and any(one.moderated == 0 for one in conversation.statements):
        note = "Moderation was not strict in this conversation, so statements that nobody moderated count too."
    return conversation.select(statements=kept_S), reasons, note


def rule_in_words(rule: Rule) -> str:
    """`consensus of at least 0.85 (...), at least 10 votes in every group`, for people."""
    over = "geometric mean" if rule.measure == "geometric-mean" else "product"
    share = "(agrees + 1) / (votes + 2)" if rule.smoothing else "agrees / votes"
    parts = [] if rule.ideas is None else [f"the {rule.ideas} ideas with the highest consensus"]
    if rule.least is not None:
        parts.append(f"consensus of at least {rule.least:g}")
    parts[-1] += f" ({over} over groups of {share})"
    votes = f"at least {many(max(rule.minimum_votes, 1), 'vote')}"
    parts.append(f"{votes} and a majority in every group" if rule.majority else f"{votes} in every group")
    if rule.rejected:
        parts.append("what is rejected as clearly as well")
    return ", ".join(parts) + (", drawn in proportion to consensus" if rule.weighted else "")


def choose(consensus: Consensus, rule: Rule, barred: Mapping[int, Reason] | None = None) -> Selection:
    """Ideas by consensus; `consensus` is that of the ideas, smoothed or not as the rule says.

    `barred`: ideas that cannot become principles, by position.

    Of two groups that agree by 0.9 and 0.8, the product is 0.72 and the geometric mean 0.849, just below 0.85.
    """
    against_KS = consensus.counts.disagreement(smoothing=rule.smoothing)
    agree_I, against_I = _over_groups(consensus.groups_KS, rule), _over_groups(against_KS, rule)
    rejected_I = np.asarray((against_I > agree_I) & rule.rejected)
    value_I = np.where(rejected_I, against_I, agree_I)
    reasons = dict(barred or {})
    for at in set(range(len(value_I))) - set(reasons):
        reason = _few(consensus, at, rule.minimum_votes) or _no_majority(consensus, at, bool(rejected_I[at]), rule)
        if reason:
            reasons[at] = reason
    ranked = sorted(set(range(len(value_I))) - set(reasons), key=lambda at: (-value_I[at], consensus.statement_ids[at]))
    passed = [at for at in ranked if rule.least is None or value_I[at] >= rule.least]
    for at in ranked[len(passed) :]:
        detail = f"consensus {value_I[at]:.3f} is below {rule.least:g} ({_by_group(consensus, at)})"
        reasons[at] = Reason(code="low-consensus", detail=detail)
    wanted = len(passed) if rule.ideas is None else rule.ideas
    for rank, at in enumerate(passed[wanted:], start=wanted + 1):
        detail = f"consensus {value_I[at]:.3f} ranks {rank}; {wanted} were asked for"
        reasons[at] = Reason(code="beyond-number", detail=detail)
    return Selection(
        consensus=consensus,
        rule=rule,
        value_I=value_I,
        rejected_I=rejected_I,
        ranked=tuple(ranked),
        positions=tuple(passed[:wanted]),
        reasons=reasons,
    )


def curve(chosen: Selection) -> tuple[ThresholdCount, ...]:
    """How many ideas would become principles at other thresholds, all else being as the rule says."""
    values = chosen.value_I[list(chosen.ranked)]
    return tuple(ThresholdCount(threshold=one, ideas=int((values >= one).sum())) for one in CURVE)


def lowest_of(chosen: Selection) -> tuple[ThresholdCount, ...]:
    """The consensus of the last of the first 10, 25, ... ideas, and of the last of all where there are fewer."""
    ranked = chosen.ranked
    asked = sorted({min(number, len(ranked)) for number in NUMBERS} - {0})
    return tuple(ThresholdCount(threshold=float(chosen.value_I[ranked[at - 1]]), ideas=at) for at in asked)


def rejected_as_well(chosen: Selection) -> str:
    """How many ideas are rejected as clearly as others are agreed with, where the rule leaves them out; or nothing."""
    if chosen.rule.rejected or chosen.rule.least is None:
        return ""
    also = choose(chosen.consensus, chosen.rule.model_copy(update={"rejected": True, "majority": True}))
    found = [at for at in also.positions if also.rejected_I[at]]
    if not found:
        return ""
    return (
        f"All groups reject {many(len(found), 'idea')} as clearly, such as statement "
        f"{chosen.consensus.statement_ids[found[0]]}; --rejected makes principles of what is rejected."
    )


def counts(reasons: Iterable[Reason]) -> str:
    """`12 rejected, 3 few-votes`: how many for each reason, most first."""
    found = Counter(reason.code for reason in reasons)
    return ", ".join(f"{number} {code}" for code, number in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _over_groups(groups_KS: Floats, rule: Rule) -> Floats:
    product_S = group_aware_consensus(groups_KS)
    return product_S if rule.measure == "product" else geometric_mean(product_S, len(groups_KS))


def _few(consensus: Consensus, at: int, minimum: int) -> Reason | None:
    votes = {name: int(count) for name, count in zip(consensus.names, consensus.counts.seen[:, at], strict=True)}
    short = [f"{count} in group {name}" for name, count in votes.items() if count < max(minimum, 1)]
    if not short:
        return None
    return Reason(code="few-votes", detail=f"too few votes: {', '.join(short)}; the least is {max(minimum, 1)}")


def _no_majority(consensus: Consensus, at: int, rejected: bool, rule: Rule) -> Reason | None:
    counts = consensus.counts
    said_K = (counts.disagrees if rejected else counts.agrees)[:, at]
    lacking = np.flatnonzero(2 * said_K <= counts.seen[:, at]).tolist()
    if not rule.majority or not lacking:
        return None
    where = " and ".join(f"group {consensus.names[label]}" for label in lacking)
    return Reason(code="low-consensus", detail=f"no majority in {where} ({_by_group(consensus, at)})")


def _by_group(consensus: Consensus, at: int) -> str:
    shares = zip(consensus.names, consensus.groups_KS[:, at], strict=True)
    return ", ".join(f"group {name} {share:.2f}" for name, share in shares)
