"""Which number means agree: strong evidence is not outvoted by weak evidence, and what was outweighed is said."""

from __future__ import annotations

from pathlib import Path

import pytest

import polis_exports as town
from polis_exports import clojure, server_csv
from solon.collective.reading.files import find_files, read_export
from solon.collective.reading.folder import open_conversation
from solon.collective.reading.sign import Witness, decide
from solon.errors import InputError


def counts(plus: int, minus: int) -> Witness:
    return Witness(what="counts", plus=plus, minus=minus)


def authors(plus: int, minus: int, *, people: int) -> Witness:
    return Witness(what="authors", plus=plus, minus=minus, people=people)


@pytest.mark.parametrize(
    ("heard", "sign"),
    [
        ([counts(9_919, 0), counts(1_997, 0), authors(48, 32, people=1)], 1),
        ([counts(9_919, 0), counts(1_997, 0), authors(0, 90, people=2)], 1),
        ([counts(9_919, 0), counts(1_997, 0), authors(0, 90, people=60)], None),
        ([counts(0, 30), authors(6, 5, people=9)], -1),
        ([counts(2, 1), counts(2_000, 0)], 1),
        ([counts(0, 2), counts(2_000, 0)], 1),
        ([counts(40, 30), counts(100, 0)], None),
        ([counts(3, 2), authors(346, 0, people=90)], 1),
        ([counts(9_919, 0), counts(1_997, 0), authors(48, 32, people=40)], 1),
        ([authors(48, 32, people=40)], None),
        ([authors(0, 30, people=3)], -1),
        ([authors(0, 30, people=2)], 1),
    ],
)
def test_witnesses_are_weighed(tmp_path: Path, heard: list[Witness], sign: int | None) -> None:
    export = read_export(find_files(clojure(tmp_path / "town")))
    assert export.events is not None
    if sign is not None:
        assert decide(export, export.events, heard, None) == sign
        return
    with pytest.raises(InputError, match=r"unclear whether \+1 or -1 means agree"):
        decide(export, export.events, heard, None)


def test_an_organiser_who_wrote_everything_does_not_stand_against_clear_counts(tmp_path: Path) -> None:
    folder = clojure(tmp_path / "town", votes=False)
    rows = [
        [one, 3, town.OPINIONS[one].count(1), town.OPINIONS[one].count(-1), state, town.TEXT[one]]
        for one, state in town.MODERATED.items()
    ]
    head = ["comment-id", "author-id", "agrees", "disagrees", "moderated", "comment-body"]
    town.write(folder / "comments.csv", head, rows)
    imported = open_conversation(folder)
    talk = imported.conversation
    assert talk.votes_PS[0].tolist() == [town.OPINIONS[one][0] or 0 for one in sorted(town.TEXT)]
    assert [one.what for one in imported.findings if "vote sign" in one.what] == [
        "vote sign: +1 means agree, as 6 of 6 participants' own counts (n-agree), "
        "4 of 4 statements' own counts (agrees) confirm"
    ]


def test_authors_at_odds_are_outweighed_and_it_is_said(tmp_path: Path) -> None:
    export = read_export(find_files(clojure(tmp_path / "town")))
    assert export.events is not None
    assert decide(export, export.events, [counts(500, 0), authors(40, 30, people=9)], None) == 1
    assert [str(one) for one in export.findings.found if one.severity == "warning"] == [
        "votes.csv: vote sign: authors: 40 for +1 and 30 for -1; outweighed by 500 of 500 counts"
    ]


def test_a_server_export_by_one_author_asks(tmp_path: Path) -> None:
    """One organiser's opinions on their own statements would turn everybody's votes round."""
    folder = server_csv(tmp_path / "town")
    rows = [[one, 3, state, town.TEXT[one]] for one, state in town.MODERATED.items()]
    town.write(folder / "comments.csv", ["comment-id", "author-id", "moderated", "comment-body"], rows)
    with pytest.raises(InputError, match=r"does not say whether .* too few authors .*--vote-sign agree=\+1"):
        open_conversation(folder)
