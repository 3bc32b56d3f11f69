"""Dates on the page are those that the data has: of votes if it logs them, else of statements, and said to be so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solon.collective.conversation import Conversation, VoteLog
from solon.collective.opinion.analysis import analyse
from solon.report.public.people import paragraph, turnout_of
from talks import random_rows, talk

DAY = 86_400_000
MARCH = 19_783 * DAY
"""1 March 2024."""


def dated(*, written: bool, logged: bool) -> Conversation:
    """Statements written on the 1st and 2nd of March; votes on the 5th and, the last of all, on the 8th."""
    made = talk(random_rows(0, 30, 8))
    if written:
        times = [MARCH + at % 2 * DAY for at in range(8)]
        both = zip(made.statements, times, strict=True)
        made = replace(made, statements=tuple(one.model_copy(update={"created": time}) for one, time in both))
    if logged:
        row, column = np.nonzero(made.seen_PS)
        time = np.full(len(row), MARCH + 4 * DAY)
        time[-1] += 3 * DAY
        log = VoteLog(participant=row, statement=column, vote=made.votes_PS[row, column], time=time)
        made = replace(made, log=log)
    return made


def told(made: Conversation) -> str:
    return paragraph(turnout_of(analyse(made)))


def test_votes_are_dated_by_their_log_alone() -> None:
    text = told(dated(written=True, logged=True))
    assert text.startswith("Between 5 March and 8 March 2024, 30 people took part and cast ")
    assert "not in the data" not in text and "2 March" not in text


def test_without_a_log_the_dates_are_those_of_statements() -> None:
    text = told(dated(written=True, logged=False))
    assert text.startswith("30 people took part and cast ")
    end = "When people voted is not in the data; the statements were written between 1 March and 2 March 2024."
    assert text.endswith(end)


def test_dates_of_some_statements_are_not_those_of_all() -> None:
    made = dated(written=True, logged=False)
    first, *others = made.statements
    some = replace(made, statements=(first.model_copy(update={"created": None}), *others))
    assert "data; the statements that have a date were written between 1 March and 2 March 2024." in told(some)


def test_no_date_at_all_is_said() -> None:
    text = told(dated(written=False, logged=False))
    assert text.endswith(" When people voted is not in the data.") and "March" not in text
