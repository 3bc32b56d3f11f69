"""Importance votes: Polis lets people mark a statement as important while they vote on it, however they vote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import polis_exports as town
from polis_exports import clojure, folder_bytes, replace_in
from solon.collective.conversation import Bools, Conversation
from solon.collective.exporting import export_conversation
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation, write_import

HEAD = ["timestamp", "comment-id", "voter-id", "vote", "important"]


def marks(statement: int, person: int) -> int:
    """Who marks what, whatever their vote: one third of all pairs."""
    return int((statement + person) % 3 == 0)


def important(folder: Path, *, counts: bool = True) -> Path:
    """The town with a mark in every vote, and with the counts of them."""
    clojure(folder)
    town.write(folder / "votes.csv", HEAD, [[*event, marks(*event[1:3])] for event in town.events()])
    if counts:
        head, *_ = (folder / "comments.csv").read_text(encoding="utf-8").split("\n", 1)
        replace_in(folder / "comments.csv", f"{head}\n", f"{head},importance-votes\n")
        for one, text in town.TEXT.items():
            written = '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text
            replace_in(folder / "comments.csv", f"{written}\n", f"{written},{expected()[one]}\n")
    return folder


def expected() -> dict[int, int]:
    """Marks by statement, of the votes that count."""
    return {one: sum(marks(s, p) for p, s in town.latest() if s == one) for one in town.TEXT}


def same(one: Bools | None, other: Bools | None) -> bool:
    return one is not None and other is not None and np.array_equal(one, other)


def said(imported: Import, word: str) -> list[str]:
    return [str(one) for one in imported.findings if word in one.what]


@pytest.fixture
def talk(tmp_path: Path) -> Conversation:
    return open_conversation(important(tmp_path / "town")).conversation


def test_they_are_kept_with_who_cast_them_and_counted(tmp_path: Path) -> None:
    found = open_conversation(important(tmp_path / "town"))
    talk = found.conversation
    assert talk.important_PS is not None and sum(expected().values()) > 0
    for row, person in enumerate(town.PEOPLE):
        for column, one in enumerate(town.TEXT):
            assert talk.important_PS[row, column] == ((person, one) in town.latest() and bool(marks(one, person)))
    assert {one.id: one.importance_votes for one in talk.statements} == expected()
    assert said(found, "important") == [f"town: {sum(expected().values())} votes that mark the statement as important"]
    assert not said(found, "unknown") and not said(found, "importance-votes")


def test_a_count_that_differs_is_said_and_the_votes_count(tmp_path: Path) -> None:
    folder = important(tmp_path / "town")
    replace_in(folder / "comments.csv", f"<b>Bold</b> plans,{expected()[9]}", "<b>Bold</b> plans,5")
    found = open_conversation(folder)
    told = "comments.csv: importance-votes differs from the votes for 1 statement: 9; the votes count, not the column"
    assert said(found, "importance-votes") == [told]
    assert found.conversation.statements[5].importance_votes == expected()[9]


def test_without_marks_the_counts_of_the_export_are_kept(tmp_path: Path) -> None:
    folder = important(tmp_path / "town")
    (folder / "votes.csv").unlink()
    found = open_conversation(folder).conversation
    assert found.important_PS is None
    assert {one.id: one.importance_votes for one in found.statements} == expected()
    plain = open_conversation(clojure(tmp_path / "plain")).conversation
    assert plain.important_PS is None and {one.importance_votes for one in plain.statements} == {None}


def test_the_imported_folder_keeps_them(tmp_path: Path, talk: Conversation) -> None:
    before = open_conversation(important(tmp_path / "again" / "town"))
    write_import(before, tmp_path / "out")
    after = open_conversation(tmp_path / "out").conversation
    assert (tmp_path / "out" / "latest.csv").read_text().startswith("participant,comment-id,vote,important\n")
    assert after.statements == talk.statements and same(after.important_PS, talk.important_PS)
    assert after.log is not None and talk.log is not None
    assert same(after.log.important, talk.log.important)
    write_import(open_conversation(tmp_path / "out"), tmp_path / "twice")
    assert folder_bytes(tmp_path / "twice") == folder_bytes(tmp_path / "out")


def test_the_organisers_export_comes_back_and_the_public_one_has_the_same_marks(
    tmp_path: Path, talk: Conversation
) -> None:
    export_conversation(talk, tmp_path / "raw", organiser=True)
    export_conversation(talk, tmp_path / "public", seed=4)
    raw, public = (open_conversation(tmp_path / name) for name in ("raw", "public"))
    assert same(raw.conversation.important_PS, talk.important_PS)
    assert raw.conversation.statements == talk.statements

    def rows(one: Conversation) -> list[bytes]:
        assert one.important_PS is not None
        return sorted(map(bytes, np.where(one.seen_PS, 2 * one.votes_PS + one.important_PS, 9).astype(np.int8)))

    assert rows(public.conversation) == rows(talk)
    assert [one.importance_votes for one in public.conversation.statements] == list(expected().values())
    assert not said(raw, "importance-votes") and not said(public, "importance-votes")


def test_people_and_statements_that_are_left_out_take_their_marks_along(talk: Conversation) -> None:
    some = talk.select(participants=talk.participant_ids < 5, statements=talk.statement_ids > 1)
    assert some.important_PS is not None and some.log is not None and some.log.important is not None
    assert {one.id: one.importance_votes for one in some.statements} == {
        one: sum(marks(s, p) for p, s in town.latest() if s == one and p < 5) for one in town.TEXT if one > 1
    }
    assert len(some.log.important) == len(some.log.vote)


def test_a_number_alone_is_said(tmp_path: Path) -> None:
    folder = important(tmp_path / "town")
    town.write(folder / "votes.csv", HEAD[:-1], town.events())
    told = f"importance-votes: {sum(expected().values())} in all, as counted there; no file says who marked a statement"
    assert said(open_conversation(folder), "no file says") == [f"comments.csv: {told} as important"]
    assert not said(open_conversation(important(tmp_path / "with")), "no file says")
