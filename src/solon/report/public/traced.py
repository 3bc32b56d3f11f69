"""From each principle back to statements and votes, and what was left out and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from solon.collective.conversation import Statement
from solon.collective.opinion.results import Analysis
from solon.report.public.language import Language, mark
from solon.report.public.tally import StatementVotes

if TYPE_CHECKING:
    from solon.collective.principles.trace import PrincipleTrace, Trace
    from solon.constitution.principles import Constitution, Principle

REASONS = {
    "rejected": mark("rejected by the moderators"),
    "meta": mark("about the conversation itself, not its subject"),
    "unmoderated": mark("never moderated"),
    "left-out-by-person": mark("left out by a person"),
    "few-votes": mark("too few votes from at least one group"),
    "low-consensus": mark("not agreed with enough in every group"),
    "beyond-number": mark("agreed with, but the wanted number was reached"),
    "not-worded": mark("could not be put as a principle"),
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
    constitution: Constitution, trace: Trace, analysis: Analysis, shown: Sequence[StatementVotes], say: Language
) -> TracePart:
    """The constitution beside its trace. Principles are matched by id."""
    votes = {one.id: one for one in shown}
    traced = {one.id: one for one in trace.principles}
    left = [(one.id, say(REASONS[one.left_out.code])) for one in trace.statements if one.left_out]
    count = Counter(reason for _, reason in left)
    return TracePart(
        intro=tuple(_intro(constitution, trace, analysis, say)),
        principles=tuple(_principle(one, traced.get(one.id), votes, say) for one in constitution.principles),
        reasons=tuple(sorted(count.items(), key=lambda item: (-item[1], item[0]))),
        left_out=tuple((votes[number].statement, reason) for number, reason in left if number in votes),
    )


def _intro(constitution: Constitution, trace: Trace, analysis: Analysis, say: Language) -> list[str]:
    used = sum(len(one.statements) for one in trace.principles)
    made = say.many(
        "From this conversation came %(n)s principle for an AI model to follow, out of %(statements)s.",
        "From this conversation came %(n)s principles for an AI model to follow, out of %(statements)s.",
        len(trace.principles),
        statements=say.statements(used),
    )
    opens = say("Each principle below opens to the statements behind it and to their votes.")
    lines = [say.prose(made, opens), *_rule(trace, say)]
    if trace.constitution_sha256 != constitution.sha256:
        lines.append(
            say(
                "Somebody changed the list by hand after it was made from the votes. It is shown as it stands now; a "
                "principle without statements was added by somebody."
            )
        )
    talk = analysis.conversation
    if (trace.participants, trace.votes_total) != (len(talk.participants), int(talk.seen_PS.sum())):
        lines.append(
            say(
                "The principles were chosen from other votes than those of this report, for instance before people "
                "were removed."
            )
        )
    groups = analysis.groups
    sizes = {one.name: one.members for one in trace.groups}
    now = dict(zip(groups.names, groups.sizes, strict=True))
    if sizes != now:
        lines.append(say("The principles were chosen with other groups than those of this report."))
    return lines


def _rule(trace: Trace, say: Language) -> list[str]:
    """By which rule statements were taken."""
    lines = []
    if trace.threshold_in_force is not None:
        least = say.whole(trace.threshold_in_force)
        if trace.rule.measure == "product":
            asked = say(
                "A statement was taken if the groups’ agreement, multiplied, is at least %(least)s.", least=least
            )
        else:
            asked = say("A statement was taken if the groups’ agreement is on average at least %(least)s.", least=least)
        votes = say.votes(trace.rule.minimum_votes)
        each = say("Each group had to cast at least %(votes)s on it.", votes=votes)
        most = say("More than half of every group’s votes had to agree.") if trace.rule.majority else ""
        lines.append(say.prose(asked, most, each))
    if trace.rule.ideas is not None:
        lines.append(
            say.many(
                "At most %(n)s idea was taken, the one most agreed on.",
                "At most %(n)s ideas were taken, those most agreed on.",
                trace.rule.ideas,
            )
        )
    return lines


def _principle(
    one: Principle,
    traced: PrincipleTrace | None,
    votes: Mapping[int, StatementVotes],
    say: Language,
) -> TracedPrinciple:
    named = (
        (say("To compare two answers"), one.comparison_question),
        (say("To criticise an answer"), one.critique_request),
        (say("To rewrite it"), one.revision_request),
    )
    made_of = traced.statements if traced else ()
    sources = tuple(votes[number] for number in made_of if number in votes)
    return TracedPrinciple(
        text=one.title,
        asked=tuple((name, text) for name, text in named if text),
        gloss=_gloss(traced, sources, say),
        sources=sources,
    )


def _gloss(traced: PrincipleTrace | None, sources: Sequence[StatementVotes], say: Language) -> str:
    """How agreed, and who worded it. Agreement over all groups would give one away whose votes are withheld."""
    if traced is None:
        return say("No public statement stands behind this principle.")
    said = []
    if traced.stance == "rejected":
        said.append(say("Every group rejects this."))
    elif traced.figures.geometric_mean is not None and all(one.open for one in sources):
        share = say.whole(traced.figures.geometric_mean)
        said.append(say("%(share)s agreement on average over the groups.", share=share))
    if hidden := len(traced.statements) - len(sources):
        said.append(
            say.many(
                "Behind it stands %(n)s statement whose text may not be shown.",
                "Behind it stand %(n)s statements whose text may not be shown.",
                hidden,
            )
        )
    if traced.merge:
        said.append(
            say.many(
                "A person found that %(n)s statement says the same.",
                "A person found that %(n)s statements say the same.",
                len(traced.statements),
            )
        )
    person = traced.worded_by == "person"
    return say.prose(*said, say("A person chose the words.") if person else say("It quotes the words of the public."))
