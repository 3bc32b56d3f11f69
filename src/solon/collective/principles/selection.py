"""Which statements may become principles, and which ideas do: by consensus, by number, with a reason for all others.

The measure is the geometric mean over groups of their agreement: 0.85 asks as much of two groups as of five. The
product, which the CCAI study used, is smaller the more groups there are; its cut of 0.723 for two groups is a geometric
mean of 0.850.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from solon.collective.conversation import Conversation, Floats
from solon.collective.opinion.consensus import MIN_GROUP_VOTES, Consensus
from solon.collective.opinion.results import Groups
from solon.collective.phrases import many
from solon.records import Record

Measure = Literal["geometric-mean", "product"]
THRESHOLD = 0.85
"""The CCAI study's cut: a product of 0.723 for two groups, whose square root this is."""
MAJORITY = 0.5
"""Below it, an idea is opposed or passed over more often than agreed with: the least that `--weighted` asks."""


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

    @property
    def least(self) -> float | None:
        """The threshold in force."""
        if self.threshold is not None:
            return self.threshold
        if self.ideas is not None:
            return None
        return MAJORITY if self.weighted else THRESHOLD


def minimum_votes_for(groups: Groups) -> int:
    """The votes to ask of every group by default: 10, or half of the smallest group's people if that is fewer.

    A group of 8 can never cast 10 votes; asking it for 4 lets it speak, with the wide interval that its size gives.
    """
    smallest = min(groups.sizes, default=0)
    return max(1, min(MIN_GROUP_VOTES, (smallest + 1) // 2))


class Reason(Record):
    """Why something did not become a principle."""

    code: Literal[
        "rejected",
        "meta",
        "unmoderated",
        "left-out-by-person",
        "few-votes",
        "low-consensus",
        "beyond-number",
        "not-worded",
    ]
    detail: str
    """In plain words."""


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What was chosen among ideas, by their positions."""

    positions: tuple[int, ...]
    """Highest consensus first; ties go to the lower id."""
    value_I: Floats
    """The measure of every idea; NaN where a group has no vote."""
    reasons: dict[int, Reason]
    """Of every idea that was not chosen."""


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
    parts.append(f"at least {many(max(rule.minimum_votes, 1), 'vote')} in every group")
    return ", ".join(parts) + (", drawn in proportion to consensus" if rule.weighted else "")


def choose(consensus: Consensus, rule: Rule, barred: Mapping[int, Reason] | None = None) -> Chosen:
    """Ideas by consensus; `consensus` is that of the ideas, smoothed or not as the rule says.

    `barred`: ideas that cannot become principles, by position.

    Of two groups that agree by 0.9 and 0.8, the product is 0.72 and the geometric mean 0.849, just below 0.85.
    """
    value_I = consensus.geometric_S if rule.measure == "geometric-mean" else consensus.product_S
    reasons = dict(barred or {})
    ranked = []
    for at in range(len(value_I)):
        if at in reasons:
            continue
        reason = _few(consensus, at, rule.minimum_votes) or _low(consensus, at, float(value_I[at]), rule)
        if reason:
            reasons[at] = reason
        else:
            ranked.append(at)
    ranked.sort(key=lambda at: (-value_I[at], consensus.statement_ids[at]))
    wanted = len(ranked) if rule.ideas is None else rule.ideas
    for rank, at in enumerate(ranked[wanted:], start=wanted + 1):
        detail = f"consensus {value_I[at]:.3f} ranks {rank}; {wanted} were asked for"
        reasons[at] = Reason(code="beyond-number", detail=detail)
    return Chosen(positions=tuple(ranked[:wanted]), value_I=value_I, reasons=reasons)


def counts(reasons: Iterable[Reason]) -> str:
    """`12 rejected, 3 few-votes`: how many for each reason, most first."""
    found = Counter(reason.code for reason in reasons)
    return ", ".join(f"{number} {code}" for code, number in sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _few(consensus: Consensus, at: int, minimum: int) -> Reason | None:
    votes = {name: int(count) for name, count in zip(consensus.names, consensus.votes_KS[:, at], strict=True)}
    short = [f"{count} in group {name}" for name, count in votes.items() if count < max(minimum, 1)]
    if not short:
        return None
    return Reason(code="few-votes", detail=f"too few votes: {', '.join(short)}; the least is {max(minimum, 1)}")


def _low(consensus: Consensus, at: int, value: float, rule: Rule) -> Reason | None:
    least = rule.least
    if least is None or value >= least:
        return None
    shares = zip(consensus.names, consensus.groups_KS[:, at], strict=True)
    said = ", ".join(f"group {name} {share:.2f}" for name, share in shares)
    return Reason(code="low-consensus", detail=f"consensus {value:.3f} is below {least:g} ({said})")
