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


def when_in_words(span: Span, say: Language) -> str:
    """Example: "on 30 December 2023"; "between 30 December 2023 and 2 January 2024"."""
    first, last = map(say.day, span)
    if first == last:
        return say("on %(day)s", day=first)
    return say("between %(first)s and %(last)s", first=first, last=last)


def _writers(talk: Conversation) -> int | None:
    known = [one for one in talk.statements if one.author is not None]
    if not known:
        return None
    voters = set(talk.participant_ids.tolist())
    return len({one.author for one in known if one.is_seed is not True and one.author in voters})


def _span(times: Sequence[int]) -> Span | None:
    known = [time for time in times if time > 0]
    return (min(known), max(known)) if known else None
