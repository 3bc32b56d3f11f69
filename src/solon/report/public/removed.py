"""What was removed, and why, as far as the data says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.reading.findings import Finding
from solon.report.public.inputs import Removed
from solon.report.public.language import Language, mark
from solon.report.public.people import Turnout
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
class Fate:
    """What became of some statements."""

    what: str
    count: int
    why: str


def fates(talk: Conversation, shown: Sequence[StatementVotes], say: Language) -> tuple[Fate, ...]:
    """Every statement once, by what became of it; kinds that did not occur are left out."""
    public = {one.id for one in shown}
    meta = [one for one in talk.statements if one.is_meta]
    rest = [one for one in talk.statements if not one.is_meta]
    rejected = [one for one in rest if one.moderated < 0]
    unread = [one for one in rest if one.moderated == 0]
    seen = [one for one in unread if one.id in public]
    enough = say.number(MIN_GROUP_VOTES)
    rows = (
        Fate(
            what=say("Accepted by the moderators"),
            count=sum(one.moderated > 0 for one in rest),
            why=say("Part of this report."),
        ),
        Fate(
            what=say("Voted on without a moderator’s decision"),
            count=len(seen),
            why=say(
                "No moderator decided on them; %(enough)s people or more voted on each. Part of this report.",
                enough=enough,
            ),
        ),
        Fate(
            what=say("Never moderated"),
            count=len(unread) - len(seen),
            why=say(
                "No moderator decided on them; fewer than %(enough)s people voted on each. Not shown.", enough=enough
            ),
        ),
        Fate(
            what=say("Rejected by the moderators"),
            count=len(rejected),
            why=say(
                "The data does not say why. Usual reasons are repetition, insult, spam and what is off the subject. "
                "Counted, not shown."
            ),
        ),
        Fate(
            what=say("About the conversation itself"),
            count=len(meta),
            why=say("Marked as not about the subject, such as questions on how the vote works. Counted, not shown."),
        ),
    )
    return tuple(row for row in rows if row.count)


def moderation(talk: Conversation, say: Language) -> str:
    """What moderators did, in a few sentences."""
    rejected = sum(one.moderated < 0 for one in talk.statements)
    if not any(one.moderated for one in talk.statements):
        return say("No statement was moderated, as far as the data says: nobody accepted or rejected any.")
    if talk.strict_moderation is False:
        how = say("People could vote on every statement until a moderator rejected it.")
    else:
        how = say("Moderators decide which statements people can vote on.")
    share = say("They rejected %(share)s of the statements.", share=say.whole(rejected / len(talk.statements)))
    why = say("The texts of rejected statements are not shown here: they may be about a person, or be an insult.")
    return say.prose(how, share, why)


def left_out(turnout: Turnout, removals: Sequence[Removed], say: Language) -> tuple[str, ...]:
    """Which people count where."""
    apart = turnout.voters - turnout.grouped
    lines = []
    if not removals:
        lines.append(
            say("For this report nobody’s votes were removed; all of them count in the figures of “everyone”.")
        )
    if apart > 0:
        alone = say.many("%(n)s person who voted is in no group.", "%(n)s people who voted are in no group.", apart)
        theirs = say("Their votes count among everyone’s, not in any group’s.")
        lines.append(say.prose(alone, _why_apart(turnout, say), theirs))
    return tuple(lines)


def _why_apart(turnout: Turnout, say: Language) -> str:
    if turnout.placed:
        return say("They voted on too few statements to be placed in one.")
    return say(
        "The groups, which were not made here, do not name them; %(active)s of them voted on %(enough)s or more.",
        active=say.number(turnout.active_apart),
        enough=say.statements(turnout.enough),
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
