"""What was removed, and why, as far as the data says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.conversation import Conversation
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.reading.findings import Finding
from solon.report.public.inputs import Removed
from solon.report.public.language import Language, mark
from solon.report.public.tally import StatementVotes

RULES = {
    "minimum-votes": (
        mark("Too few votes"),
        mark("They voted too little to say where they stand. The vote software groups people from 7 votes on."),
    ),
    "same-answer": (
        mark("Same answer"),
        mark("They gave one answer to nearly everything where others differ: a sign of not reading."),
    ),
    "long-runs": (
        mark("Long runs"),
        mark("They gave the same answer many times in a row, though statements come in random order."),
    ),
    "speed": (mark("Speed"), mark("They voted faster than anybody reads.")),
    "spam-authors": (
        mark("Authors of spam"),
        mark("They wrote more than six statements, and moderators rejected nearly all of them."),
    ),
    "identical-votes": (
        mark("Identical votes"),
        mark("They gave the same answers to the same statements, more often than chance explains: one voice twice."),
    ),
    "bursts": (
        mark("Bursts"),
        mark("They began together and voted more alike than strangers do: perhaps one person, or a campaign."),
    ),
    "repeated-statements": (
        mark("Repeated statements"),
        mark("The same sentence stood there twice, which splits its votes and counts an idea twice."),
    ),
}
"""Name and reason of each rule of `solon collect clean`, as the page says them."""


@dataclass(frozen=True, kw_only=True)
class Fates:
    """What became of the statements: how many of each kind, every statement once."""

    accepted: int
    undecided: int
    """No moderator decided on them, and enough people voted on them."""
    unread: int
    """As before, but too few people voted."""
    rejected: int
    meta: int
    decided: bool
    """Moderators decided on some."""
    rejected_share: float
    """Of all, those about the conversation itself included."""


def fates(talk: Conversation, shown: Sequence[StatementVotes]) -> Fates:
    """`shown`: the statements whose texts may be shown."""
    public = {one.id for one in shown}
    subject = [one for one in talk.statements if not one.is_meta]
    unread = [one for one in subject if one.moderated == 0]
    return Fates(
        accepted=sum(one.moderated > 0 for one in subject),
        undecided=sum(one.id in public for one in unread),
        unread=sum(one.id not in public for one in unread),
        rejected=sum(one.moderated < 0 for one in subject),
        meta=len(talk.statements) - len(subject),
        decided=any(one.moderated for one in talk.statements),
        rejected_share=sum(one.moderated < 0 for one in talk.statements) / max(len(talk.statements), 1),
    )


def findings_told(findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    """Repairs and doubts of the import in English, with what was done; plain notes are left to the organiser."""
    return tuple((_sentence(one.what), _sentence(one.repair)) for one in findings if one.severity != "note")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def cleaned(removals: Sequence[Removed], say: Language) -> tuple[tuple[str, ...], ...]:
    """Rule, its reason, what it removed, how many; small numbers of people are not shown."""
    rows: list[tuple[str, ...]] = []
    for one in removals:
        known = RULES.get(one.rule)
        name, reason = map(say, known) if known else (one.rule.replace("-", " "), one.reason)
        people = one.kind == "participant"
        number = say.number(one.count)
        if people and 0 < one.count < SUPPRESS_BELOW:
            number = say("fewer than %(least)s", least=say.number(SUPPRESS_BELOW))
        rows.append((name, reason, say("people") if people else say("statements"), number))
    return tuple(rows)
