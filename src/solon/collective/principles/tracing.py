"""Putting the trace of a constitution together, and the votes on one statement in words."""

from __future__ import annotations

from collections.abc import Mapping

from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import Consensus, consensus_of
from solon.collective.opinion.results import Groups
from solon.collective.principles.merges import MergeFile
from solon.collective.principles.selection import Chosen, Reason, curve, lowest_of
from solon.collective.principles.trace import (
    Figures,
    GroupTrace,
    GroupVotes,
    PrincipleTrace,
    StatementTrace,
    Trace,
    number,
)
from solon.collective.principles.wording import Stance
from solon.constitution.principles import Constitution


def make_trace(
    constitution: Constitution,
    *,
    conversation: Conversation,
    groups: Groups,
    chosen: Chosen,
    merges: MergeFile | None,
    reasons: Mapping[int, Reason],
    principles: tuple[PrincipleTrace, ...],
    notes: tuple[str, ...],
) -> Trace:
    """Every statement of `conversation`, left out or not, with its votes, and either a principle or a reason.

    `reasons`: by statement, for all that went into no principle.
    """
    rule = chosen.rule
    measured = consensus_of(conversation, groups, smoothing=rule.smoothing, minimum=rule.minimum_votes, draws=0)
    became = {number: one.id for one in principles for number in one.statements}
    unexplained = set(conversation.statement_ids.tolist()) - set(became) - set(reasons)
    assert not unexplained and not set(became) & set(reasons), "each has either a principle or a reason"
    return Trace(
        constitution=constitution.name,
        constitution_sha256=constitution.sha256,
        topic=conversation.topic,
        participants=len(conversation.participants),
        statements_total=len(conversation.statements),
        votes_total=int(conversation.seen_PS.sum()),
        groups=tuple(
            GroupTrace(name=name, members=size) for name, size in zip(groups.names, groups.sizes, strict=True)
        ),
        groups_method=groups.method,
        in_no_group=len(conversation.participants) - sum(groups.sizes),
        rule=rule,
        threshold_in_force=rule.least,
        curve=curve(chosen),
        numbers=lowest_of(chosen),
        merges_made_by=merges.made_by if merges else "",
        notes=(*groups.notes, *notes),
        principles=principles,
        merges=merges.merge if merges else (),
        statements=tuple(
            StatementTrace(
                **one.model_dump(include={"id", "text", "author", "moderated", "is_seed"}),
                figures=figures_of(measured, at),
                became=became.get(one.id),
                left_out=reasons.get(one.id),
            )
            for at, one in enumerate(conversation.statements)
        ),
    )


def figures_of(consensus: Consensus, at: int) -> Figures:
    """Of the statement at position `at`."""
    return Figures(
        geometric_mean=number(consensus.geometric_S[at]),
        product=number(consensus.product_S[at]),
        product_low=number(consensus.product_low_S[at]),
        product_high=number(consensus.product_high_S[at]),
        groups=tuple(
            GroupVotes(
                group=name,
                agrees=int(consensus.agrees_KS[label, at]),
                disagrees=int(consensus.disagrees_KS[label, at]),
                votes=int(consensus.votes_KS[label, at]),
                consensus=number(consensus.groups_KS[label, at]),
                low=number(consensus.low_KS[label, at]),
                high=number(consensus.high_KS[label, at]),
            )
            for label, name in enumerate(consensus.names)
        ),
    )


def in_words(figures: Figures, stance: Stance) -> str:
    """On one line, for the `source` of a principle.

    `agree: group 0 58 of 60 (95% interval 0.89 to 0.99), group 1 ...; consensus 0.88 per group (product 0.78, 95%
    interval 0.70 to 0.85)`
    """
    if stance == "rejected":
        return "disagree: " + ", ".join(f"group {one.group} {one.disagrees} of {one.votes}" for one in figures.groups)
    groups = [
        f"group {one.group} {one.agrees} of {one.votes}"
        + (f" (95% interval {one.low:.2f} to {one.high:.2f})" if one.low is not None and one.high is not None else "")
        for one in figures.groups
    ]
    said = f"agree: {', '.join(groups)}"
    if figures.geometric_mean is not None and figures.product is not None:
        said += f"; consensus {figures.geometric_mean:.3f} per group (product {figures.product:.3f}"
        if figures.product_low is not None and figures.product_high is not None:
            said += f", 95% interval {figures.product_low:.3f} to {figures.product_high:.3f}"
        said += ")"
    return said
