"""Putting the trace of a constitution together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import consensus_of
from solon.collective.opinion.results import Groups
from solon.collective.principles.figures import figures_of
from solon.collective.principles.merges import MergeFile
from solon.collective.principles.selection import Reason, Rule
from solon.collective.principles.trace import GroupTrace, MergeTrace, PrincipleTrace, StatementTrace, Trace
from solon.constitution.principles import Constitution


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a trace is made of."""

    conversation: Conversation
    """All of it, statements that were left out as well."""
    groups: Groups
    rule: Rule
    merges: MergeFile | None
    reasons: Mapping[int, Reason]
    """By statement, for all that went into no principle."""
    principles: tuple[PrincipleTrace, ...]
    notes: tuple[str, ...]


def make_trace(material: Material, constitution: Constitution) -> Trace:
    """Every statement of the conversation is in it, with its votes, and either a principle or a reason."""
    talk, groups = material.conversation, material.groups
    merges = material.merges
    return Trace(
        constitution=constitution.name,
        constitution_sha256=constitution.sha256,
        topic=talk.topic,
        participants=len(talk.participants),
        statements_total=len(talk.statements),
        votes_total=int(talk.seen_PS.sum()),
        groups=tuple(
            GroupTrace(name=name, members=size) for name, size in zip(groups.names, groups.sizes, strict=True)
        ),
        groups_method=groups.method,
        in_no_group=len(talk.participants) - sum(groups.sizes),
        rule=material.rule,
        threshold_in_force=material.rule.least,
        merges_made_by=merges.made_by if merges else "",
        notes=(*groups.notes, *material.notes),
        principles=material.principles,
        merges=tuple(
            MergeTrace(
                id=one.id,
                decision=one.decision,
                wording=one.wording,
                similarity=one.similarity,
                statements=one.statements,
                taken_out=one.taken_out,
                note=one.note,
            )
            for one in (merges.merge if merges else ())
        ),
        statements=_statements(material),
    )


def _statements(material: Material) -> tuple[StatementTrace, ...]:
    talk = material.conversation
    became = {number: one.id for one in material.principles for number in one.statements}
    measured = consensus_of(
        talk, material.groups, smoothing=material.rule.smoothing, minimum=material.rule.minimum_votes, draws=0
    )
    found = []
    for at, one in enumerate(talk.statements):
        reason = material.reasons.get(one.id)
        assert (one.id in became) != (reason is not None), f"statement {one.id} has either a principle or a reason"
        found.append(
            StatementTrace(
                id=one.id,
                text=one.text,
                author=one.author,
                moderated=one.moderated,
                is_seed=one.is_seed,
                figures=figures_of(measured, at),
                became=became.get(one.id),
                left_out=reason,
            )
        )
    return tuple(found)
