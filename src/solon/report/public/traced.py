"""From each principle back to statements and votes, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.collective.conversation import Statement
from solon.collective.opinion.results import Analysis
from solon.collective.principles.trace import PrincipleTrace, Trace
from solon.constitution.principles import Constitution, Principle
from solon.report.public.tally import StatementVotes
from solon.report.public.words import many, whole

REASONS = {
    "rejected": "rejected by the moderators",
    "meta": "about the conversation itself, not its subject",
    "unmoderated": "never moderated",
    "left-out-by-person": "left out by a person",
    "few-votes": "too few votes from at least one group",
    "low-consensus": "not agreed with enough in every group",
    "beyond-number": "agreed with, but the wanted number was reached",
    "not-worded": "could not be put as a principle",
}
"""In plain words. Details of the trace are not repeated: they name small numbers and texts that may not be shown."""


@dataclass(frozen=True, kw_only=True)
class TracedPrinciple:
    """One principle with what it was made from. No sources: it was not made from public input."""

    text: str
    asked: tuple[tuple[str, str], ...]
    """What a model reads: the name of the text, and the text."""
    gloss: str
    sources: tuple[StatementVotes, ...]


@dataclass(frozen=True, kw_only=True)
class TracePart:
    """What the template shows."""

    intro: tuple[str, ...]
    principles: tuple[TracedPrinciple, ...]
    reasons: tuple[tuple[str, int], ...]
    """Most first."""
    left_out: tuple[tuple[Statement, str], ...]
    """Only statements whose text may be shown."""


def trace_part(
    constitution: Constitution, trace: Trace, analysis: Analysis, shown: Sequence[StatementVotes]
) -> TracePart:
    """The constitution beside its trace. Principles are matched by id."""
    votes = {one.id: one for one in shown}
    traced = {one.id: one for one in trace.principles}
    left = [(one.id, REASONS[one.left_out.code]) for one in trace.statements if one.left_out]
    count = Counter(reason for _, reason in left)
    return TracePart(
        intro=tuple(_intro(constitution, trace, analysis)),
        principles=tuple(_principle(one, traced.get(one.id), votes) for one in constitution.principles),
        reasons=tuple(sorted(count.items(), key=lambda item: (-item[1], item[0]))),
        left_out=tuple((votes[number].statement, reason) for number, reason in left if number in votes),
    )


def _intro(constitution: Constitution, trace: Trace, analysis: Analysis) -> list[str]:
    used = sum(len(one.statements) for one in trace.principles)
    least = trace.threshold_in_force
    lines = [
        f"From this conversation {many(len(trace.principles), 'principle')} were made for an AI model to follow, out "
        f"of {many(used, 'statement')}. Each principle below opens to the statements behind it and to their votes."
    ]
    if least is not None:
        kind = "multiplied over the groups" if trace.rule.measure == "product" else "on average over the groups"
        votes = f" and each group cast at least {many(trace.rule.minimum_votes, 'vote')} on it"
        lines.append(f"A statement was taken if agreement, {kind}, is at least {whole(least)}{votes}.")
    if trace.rule.ideas is not None:
        lines.append(f"At most {many(trace.rule.ideas, 'idea')} were taken, those most agreed on.")
    if trace.constitution_sha256 != constitution.sha256:
        lines.append(
            "The list was changed by hand after it was made from the votes. What is shown is the list as it stands "
            "now; a principle without statements was added by somebody."
        )
    talk = analysis.conversation
    if (trace.participants, trace.votes_total) != (len(talk.participants), int(talk.seen_PS.sum())):
        lines.append(
            "The principles were chosen from other votes than those of this report, for instance before people were "
            "removed."
        )
    groups = analysis.groups
    sizes = {one.name: one.members for one in trace.groups}
    now = dict(zip(groups.names, groups.sizes, strict=True))
    if sizes != now:
        lines.append("The principles were chosen with other groups than those of this report.")
    return lines


def _principle(
    one: Principle,
    traced: PrincipleTrace | None,
    votes: Mapping[int, StatementVotes],
) -> TracedPrinciple:
    named = (
        ("To compare two answers", one.comparison_question),
        ("To criticise an answer", one.critique_request),
        ("To rewrite it", one.revision_request),
    )
    made_of = traced.statements if traced else ()
    sources = tuple(votes[number] for number in made_of if number in votes)
    return TracedPrinciple(
        text=one.title,
        asked=tuple((name, text) for name, text in named if text),
        gloss=_gloss(traced, sources),
        sources=sources,
    )


def _gloss(traced: PrincipleTrace | None, sources: Sequence[StatementVotes]) -> str:
    """How agreed, and who worded it. Agreement over all groups would give one away whose votes are withheld."""
    if traced is None:
        return "No public statement stands behind this principle."
    said = []
    if traced.figures.geometric_mean is not None and all(one.open for one in sources):
        said.append(f"{whole(traced.figures.geometric_mean)} agreement on average over the groups")
    if len(sources) < len(traced.statements):
        missing = f"{many(len(traced.statements) - len(sources), 'statement')} whose text may not be shown"
        said.append(f"made {'also ' if sources else ''}of {missing}")
    if traced.merge:
        said.append(f"a person found that {many(len(traced.statements), 'statement')} say the same")
    said.append("a person chose the words" if traced.worded_by == "person" else "worded by a fixed template")
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]}."
