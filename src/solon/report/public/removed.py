"""What was removed, and why, as far as the data says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import MIN_GROUP_VOTES
from solon.collective.people.population import SUPPRESS_BELOW
from solon.collective.reading.findings import Finding
from solon.report.public.inputs import Removed
from solon.report.public.people import Turnout
from solon.report.public.tally import StatementVotes
from solon.report.public.words import many
from solon.report.wording import of_hundred


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What became of some statements."""

    what: str
    count: int
    why: str


def fates(talk: Conversation, shown: Sequence[StatementVotes]) -> tuple[Fate, ...]:
    """Every statement once, by what became of it; kinds that did not occur are left out."""
    public = {one.id for one in shown}
    meta = [one for one in talk.statements if one.is_meta]
    rest = [one for one in talk.statements if not one.is_meta]
    rejected = [one for one in rest if one.moderated < 0]
    unread = [one for one in rest if one.moderated == 0]
    seen = [one for one in unread if one.id in public]
    rows = (
        Fate(
            what="Accepted by the moderators",
            count=sum(one.moderated > 0 for one in rest),
            why="Part of this report.",
        ),
        Fate(
            what="Voted on without a moderator's decision",
            count=len(seen),
            why=f"No moderator decided on them; {MIN_GROUP_VOTES} people or more voted on each. Part of this report.",
        ),
        Fate(
            what="Never moderated",
            count=len(unread) - len(seen),
            why=f"No moderator decided on them; fewer than {MIN_GROUP_VOTES} people voted on each. Not shown.",
        ),
        Fate(
            what="Rejected by the moderators",
            count=len(rejected),
            why="The data does not say why. Usual reasons are repetition, insult, spam and what is off the subject. "
            "Counted, not shown.",
        ),
        Fate(
            what="About the conversation itself",
            count=len(meta),
            why="Marked as not about the subject, such as questions on how the vote works. Counted, not shown.",
        ),
    )
    return tuple(row for row in rows if row.count)


def moderation(talk: Conversation) -> str:
    """What moderators did, in one sentence or two."""
    rejected = sum(one.moderated < 0 for one in talk.statements)
    decided = sum(one.moderated != 0 for one in talk.statements)
    if not decided:
        return "No statement was moderated, as far as the data says: nobody accepted or rejected any."
    share = of_hundred(rejected / len(talk.statements))
    how = "Moderators decide which statements others get to vote on"
    if talk.strict_moderation is False:
        how = "Others got to vote on every statement until a moderator rejected it"
    return (
        f"{how}; {share} statements were rejected. The texts of "
        "rejected statements are not shown here, because they may be about a person or be an insult."
    )


def left_out(turnout: Turnout, removals: Sequence[Removed]) -> tuple[str, ...]:
    """Which people count where."""
    apart = turnout.voters - turnout.grouped
    lines = (
        []
        if removals
        else ["For this report nobody’s votes were removed; all of them count in the figures of “everyone”."]
    )
    if apart > 0:
        lines.append(
            f"{many(apart, 'person', 'people')} who voted are in no group, {_why_apart(turnout)}. Their votes count "
            "among everyone’s, not in any group’s."
        )
    return tuple(lines)


def _why_apart(turnout: Turnout) -> str:
    if turnout.placed:
        return "because they voted on too few statements to be placed"
    return (
        f"because the groups, which were not made here, do not name them; {turnout.active_apart:,} of them voted on "
        f"{many(turnout.enough, 'statement')} or more"
    )


def findings_told(findings: Sequence[Finding]) -> tuple[tuple[str, str], ...]:
    """Repairs and doubts of the import, with what was done; plain notes are left to the organiser."""
    return tuple((_sentence(one.what), _sentence(one.repair)) for one in findings if one.severity != "note")


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def cleaned(removals: Sequence[Removed]) -> tuple[tuple[str, ...], ...]:
    """Rule, its reason, what it removed, how many; small numbers of people are not shown."""
    rows: list[tuple[str, ...]] = []
    for one in removals:
        few = one.kind == "participant" and 0 < one.count < SUPPRESS_BELOW
        number = f"fewer than {SUPPRESS_BELOW}" if few else f"{one.count:,}"
        rows.append(
            (one.rule.replace("-", " "), one.reason, "people" if one.kind == "participant" else "statements", number)
        )
    return tuple(rows)
