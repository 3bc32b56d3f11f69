"""Who took part: how many came, how far they went, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.opinion.given_groups import active_apart
from solon.collective.opinion.polis.clusters import votes_to_be_grouped
from solon.collective.opinion.results import Analysis
from solon.report.public.language import Language

Span = tuple[int, int]
"""The first and the last of some moments, in milliseconds."""


@dataclass(frozen=True, kw_only=True)
class Turnout:
    """The numbers of the opening."""

    listed: int
    """Participants in the data, whether or not they voted."""
    voters: int
    grouped: int
    placed: bool
    """Were people put into groups here? Then who is in none voted on too few statements."""
    active_apart: int
    """People in no group who voted as often as those whom Polis groups."""
    enough: int
    """Statements that those voted on at least."""
    writers: int | None
    """Participants who wrote a statement; None: the data does not say who wrote what."""
    votes: int
    """Latest vote of each on each, all statements."""
    statements: int
    """All that were written, seeds included."""
    cast: Span | None
    """When votes were cast; None: the data does not say."""
    written: Span | None
    """When the statements with a date were written; None: none has one."""
    dated: int
    """Statements with a date."""
    quarter: int
    half: int
    most: int
    """Statements that at least three quarters of the voters, half of them, and a quarter of them voted on."""


def turnout_of(analysis: Analysis) -> Turnout:
    """Counted from the conversation."""
    talk = analysis.conversation
    votes_P = talk.n_votes_P
    cast = votes_P[votes_P > 0]
    quarter, half, most = (int(np.quantile(cast, q, method="lower")) if len(cast) else 0 for q in (0.25, 0.5, 0.75))
    dates = [one.created for one in talk.statements if one.created]
    return Turnout(
        listed=len(talk.participants),
        voters=len(cast),
        grouped=len(analysis.groups.participant_ids),
        placed=analysis.groups.method in ("polis", "ccai"),
        active_apart=active_apart(talk, analysis.groups.participant_ids),
        enough=votes_to_be_grouped(talk),
        writers=_writers(talk),
        votes=int(votes_P.sum()),
        statements=len(talk.statements),
        cast=None if talk.log is None else _span(talk.log.time.tolist()),
        written=_span(dates),
        dated=len(dates),
        quarter=quarter,
        half=half,
        most=most,
    )


def paragraph(turnout: Turnout, say: Language, *, cleaned: bool = False) -> str:
    """The numbers in one paragraph of plain sentences. `cleaned`: people or statements were removed before.

    Example: "536 people took part and cast 29,802 votes. 97 people wrote at least one of the 316 statements. ..."
    """
    said = [
        say.many(
            "%(n)s person took part and cast %(votes)s.",
            "%(n)s people took part and cast %(votes)s.",
            turnout.voters,
            votes=say.votes(turnout.votes),
        )
    ]
    if cleaned:
        said.append(say("That is after cleaning; further down stands what was removed, and by which rule."))
    said.append(say("There were %(statements)s in all.", statements=say.statements(turnout.statements)))
    if turnout.writers is not None:
        said.append(
            say.many(
                "%(n)s person wrote at least one of them.", "%(n)s people wrote at least one of them.", turnout.writers
            )
        )
    half = say.statements(turnout.half)
    said.append(say("Half of the voters voted on %(statements)s or more.", statements=half))
    return say.prose(*said, *_dates_told(turnout, say))


def funnel(turnout: Turnout, say: Language) -> tuple[tuple[str, str, str], ...]:
    """How far people went: what they did, how many did, and their share of those who voted."""
    if turnout.placed:
        grouped = say("voted often enough to be placed in a group")
    else:
        grouped = say("are in a group")
    rows = [(say("voted on at least one statement"), turnout.voters), (grouped, turnout.grouped)]
    if turnout.writers is not None:
        rows.append((say("wrote at least one statement"), turnout.writers))
    shares = [
        (name, say.number(count), say.whole(count / turnout.voters) if turnout.voters else "\u2013")
        for name, count in rows
    ]
    if turnout.listed > turnout.voters:
        shares.insert(0, (say("are in the data"), say.number(turnout.listed), "\u2013"))
    return tuple(shares)


def effort(turnout: Turnout, say: Language) -> str:
    """How unevenly people voted."""
    return say(
        "A quarter of the voters voted on at most %(quarter)s, half on at least %(half)s, and a quarter on at least "
        "%(most)s. If a person voted on a statement several times, only the latest vote counts.",
        quarter=say.statements(turnout.quarter),
        half=say.statements(turnout.half),
        most=say.statements(turnout.most),
    )


def covered_in_words(turnout: Turnout, say: Language) -> str:
    """Whom groups that were not made here leave out, where that is more than a tenth of the voters; else empty."""
    if turnout.placed or turnout.grouped >= 0.9 * turnout.voters:
        return ""
    return say(
        "They hold %(grouped)s of the %(voters)s people who voted, and say nothing of the others.",
        grouped=say.number(turnout.grouped),
        voters=say.number(turnout.voters),
    )


def _dates_told(turnout: Turnout, say: Language) -> list[str]:
    """Without a vote log nobody knows when people voted: when statements were written is not when."""
    if turnout.cast:
        return [say("The votes were cast %(when)s.", when=_when(turnout.cast, say))]
    said = [say("The data does not say when people voted.")]
    if turnout.written:
        when = _when(turnout.written, say)
        if turnout.dated == turnout.statements:
            said.append(say("The statements were written %(when)s.", when=when))
        else:
            said.append(say("The statements that have a date were written %(when)s.", when=when))
    return said


def _when(span: Span, say: Language) -> str:
    first, last = map(say.day, span)
    return (
        say("on %(day)s", day=first) if first == last else say("between %(first)s and %(last)s", first=first, last=last)
    )


def _writers(talk: Conversation) -> int | None:
    known = [one for one in talk.statements if one.author is not None]
    if not known:
        return None
    voters = set(talk.participant_ids.tolist())
    return len({one.author for one in known if one.is_seed is not True and one.author in voters})


def _span(times: Sequence[int]) -> Span | None:
    known = [time for time in times if time > 0]
    return (min(known), max(known)) if known else None
