"""Who took part and when: no date that the data does not have, and no reason for being in no group that is not true."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from report.public_page import read_page, section, table
from solon.collective.conversation import Conversation, VoteLog
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.given_groups import exported_groups
from solon.report.public.inputs import PublicInput
from solon.report.public.page import render_public_report
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
    """The first paragraph of the page."""
    page = read_page(render_public_report(PublicInput(analysis=analyse(made))))
    return next(one.text for one in page.all("p") if one.attributes.get("class") == "lede").strip()


def test_votes_are_dated_by_their_log_alone() -> None:
    text = told(dated(written=True, logged=True))
    assert text.startswith("30 people took part and cast ")
    assert text.endswith(" The votes were cast between 5 March 2024 and 8 March 2024.")
    assert "does not say" not in text and "2 March" not in text


def test_without_a_log_the_dates_are_those_of_statements() -> None:
    text = told(dated(written=True, logged=False))
    assert text.startswith("30 people took part and cast ")
    assert text.endswith(
        "The data does not say when people voted. The statements were written between 1 March 2024 and 2 March 2024."
    )


def test_dates_of_some_statements_are_not_those_of_all() -> None:
    made = dated(written=True, logged=False)
    first, *others = made.statements
    some = replace(made, statements=(first.model_copy(update={"created": None}), *others))
    assert "The statements that have a date were written between 1 March 2024 and 2 March 2024." in told(some)


def test_no_date_at_all_is_said() -> None:
    text = told(dated(written=False, logged=False))
    assert text.endswith(" The data does not say when people voted.") and "March" not in text


def test_exported_groups_that_hold_few_are_said_to() -> None:
    """An export that names the group of 20 of 120 people, though nearly all others voted as often."""
    rows = random_rows(7, 110, 20) + [[1, None, 1] + [None] * 17] * 10
    made = talk(rows)
    people = tuple(
        one.model_copy(update={"exported_group": "ab"[one.id % 2] if one.id < 20 else None})
        for one in made.participants
    )
    made = replace(made, participants=people)
    groups = exported_groups(made)
    assert groups.notes[1] == (
        "These groups leave out 100 of the 120 people who voted; 90 of them voted on 7 statements or more. Nothing "
        "that is said of groups holds for them."
    )
    page = read_page(render_public_report(PublicInput(analysis=analyse(made, groups=groups))))
    assert "They hold 20 of the 120 people who voted, and say nothing of the others." in page.all("section")[0].text
    assert ["are in a group", "20", "17%"] in table(page, "How far people went")
    assert (
        "100 people who voted are in no group. The groups, which were not made here, do not name them; 90 of them "
        "voted on 7 statements or more." in section(page, "removed").text
    )
    assert "voted often enough" not in page.text


def test_who_is_in_none_of_the_groups_found_voted_on_too_few() -> None:
    made = talk(random_rows(7, 110, 20) + [[1, None, 1] + [None] * 17] * 10)
    page = read_page(render_public_report(PublicInput(analysis=analyse(made))))
    said = "10 people who voted are in no group. They voted on too few statements to be placed in one."
    assert said in section(page, "removed").text and "They hold" not in page.all("section")[0].text
