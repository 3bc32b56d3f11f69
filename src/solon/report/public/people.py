"""Who took part: how many came, how far they went, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Conversation
from solon.collective.opinion.given_groups import active_apart
from solon.collective.opinion.polis.clusters import votes_to_be_grouped
from solon.collective.opinion.results import Analysis
from solon.report.public.words import many, span


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
    seeds: int | None
    when: str
    """When votes were cast; empty: the data does not say."""
    written: str
    """When the statements with a date were written; empty: none has one."""
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
    seeds = [one.is_seed for one in talk.statements]
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
        seeds=None if None in seeds else sum(map(bool, seeds)),
        when="" if talk.log is None else _span(talk.log.time.tolist()),
        written=_span(dates),
        dated=len(dates),
        quarter=quarter,
        half=half,
        most=most,
    )


def paragraph(turnout: Turnout, *, cleaned: bool = False) -> str:
    """The numbers in one paragraph of plain sentences. `cleaned`: people or statements were removed before.

    Example: "Between 3 May and 2 June 2024, 536 people voted on statements, 29,802 votes in all. 97 people wrote ..."
    """
    when = f"{turnout.when[0].upper()}{turnout.when[1:]}, " if turnout.when else ""
    said = [f"{when}{many(turnout.voters, 'person', 'people')} took part and cast {many(turnout.votes, 'vote')}."]
    if cleaned:
        said.append("That is after cleaning; further down stands what was removed, and by which rule.")
    statements = many(turnout.statements, "statement")
    if turnout.writers is not None:
        said.append(f"{many(turnout.writers, 'person', 'people')} wrote at least one of the {statements}.")
    else:
        said.append(f"There were {statements} to vote on or to be checked.")
    said.append(f"Half of those who voted did so on {many(turnout.half, 'statement')} or more.")
    return " ".join([*said, *_dates_told(turnout)])


def covered_in_words(turnout: Turnout) -> str:
    """Whom groups that were not made here leave out, where that is more than a tenth of the voters; else empty."""
    if turnout.placed or turnout.grouped >= 0.9 * turnout.voters:
        return ""
    return f"They hold {turnout.grouped:,} of the {turnout.voters:,} people who voted, and say nothing of the others."


def _dates_told(turnout: Turnout) -> list[str]:
    """Without a vote log nobody knows when people voted: when statements were written is not when."""
    if turnout.when:
        return []
    if not turnout.written:
        return ["When people voted is not in the data."]
    which = "the statements" if turnout.dated == turnout.statements else "the statements that have a date"
    return [f"When people voted is not in the data; {which} were written {turnout.written}."]


def _writers(talk: Conversation) -> int | None:
    known = [one for one in talk.statements if one.author is not None]
    if not known:
        return None
    voters = set(talk.participant_ids.tolist())
    return len({one.author for one in known if one.is_seed is not True and one.author in voters})


def _span(times: Sequence[int]) -> str:
    """The days of the first and the last of some times in milliseconds; empty: there are none."""
    known = [time for time in times if time > 0]
    return span(min(known), max(known)) if known else ""
