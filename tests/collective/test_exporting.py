"""Exports: one that may be published, and one for the organiser alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import polis_exports as town
from polis_exports import clojure, essence, folder_bytes, logged, server_csv, server_json
from solon.collective.conversation import Conversation, Participant, Statement
from solon.collective.exporting import DAY, export_conversation, public, words
from solon.collective.reading.folder import open_conversation
from solon.errors import InputError
from talks import conversation_of


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Conversation:
    return open_conversation(clojure(tmp_path_factory.mktemp("export") / "town", xid=True)).conversation


def rows_of(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class TestOrganiser:
    @pytest.mark.parametrize("writer", [clojure, server_csv, server_json])
    def test_it_comes_back_as_it_was(self, tmp_path: Path, writer: Callable[[Path], Path]) -> None:
        before = open_conversation(writer(tmp_path / "town")).conversation
        told = export_conversation(before, tmp_path / "out", organiser=True)
        found = open_conversation(tmp_path / "out")
        assert essence(found.conversation) == essence(before)
        assert found.conversation.participants == before.participants
        assert logged(found.conversation) == logged(before)
        assert not [str(one) for one in found.findings if one.severity == "repair"]
        assert told == [f"{tmp_path / 'out'}: 6 participants, 7 statements, 36 votes"]

    def test_the_columns_are_those_of_polis(self, tmp_path: Path, talk: Conversation) -> None:
        export_conversation(talk, tmp_path, organiser=True)
        heads = {path.name: path.read_text().split("\n", 1)[0] for path in tmp_path.glob("*.csv")}
        assert heads == {
            "comments.csv": "timestamp,comment-id,author-id,agrees,disagrees,moderated,is-meta,is-seed,comment-body",
            "votes.csv": "timestamp,datetime,comment-id,voter-id,vote",
            "participants-votes.csv": "participant,group-id,n-comments,n-votes,n-agree,n-disagree,0,1,2,4,7,9,10",
            "summary.csv": 'topic,"Our town, our streets"',
        }
        # Agrees and disagrees count events, as in Polis: participant 2 first disagreed with statement 0.
        first = rows_of(tmp_path / "comments.csv")[0]
        assert (first["agrees"], first["disagrees"]) == ("4", "2")

    def test_it_says_that_it_must_stay_private(self, tmp_path: Path, talk: Conversation) -> None:
        export_conversation(talk, tmp_path, organiser=True)
        assert "it can identify people" in (tmp_path / "solon-export.txt").read_text()

    def test_no_external_id_even_here(self, tmp_path: Path, talk: Conversation) -> None:
        export_conversation(talk, tmp_path, organiser=True)
        assert not [name for name, data in folder_bytes(tmp_path).items() if b"panel-" in data or b"xid" in data]


class TestPublic:
    def test_people_cannot_be_told_by_id_time_or_authorship(self, tmp_path: Path, talk: Conversation) -> None:
        told = export_conversation(talk, tmp_path, seed=3)
        found = open_conversation(tmp_path).conversation
        assert found.participant_ids.tolist() == list(range(6))
        assert {one.author for one in found.statements} == {None}
        assert all(time % DAY == 0 for time, *_ in logged(found))
        assert all(one.created is not None and one.created % DAY == 0 for one in found.statements)
        places = [(statement, person) for _, statement, person, _ in logged(found)]
        assert len(places) == 36 and set(places) == {(s, p) for s, p in places}
        rows = rows_of(tmp_path / "votes.csv")
        assert [(int(row["comment-id"]), int(row["voter-id"])) for row in rows] == sorted(places)
        assert told[1:] == [
            "participants have new random ids, and times are days",
            "left out: 3 votes that a later one of the same participant replaced",
            "left out: who wrote which statement",
        ]

    def test_every_vote_is_there(self, tmp_path: Path, talk: Conversation) -> None:
        export_conversation(talk, tmp_path, seed=3)
        found = open_conversation(tmp_path).conversation
        as_rows = sorted(map(tuple, np.where(talk.seen_PS, talk.votes_PS, 9).tolist()))
        assert sorted(map(tuple, np.where(found.seen_PS, found.votes_PS, 9).tolist())) == as_rows
        assert [(one.id, one.text, one.moderated) for one in found.statements] == [
            (one.id, one.text, one.moderated) for one in talk.statements
        ]
        groups = sorted(str(one.exported_group) for one in talk.participants)
        assert sorted(str(one.exported_group) for one in found.participants) == groups

    def test_a_seed_repeats_it_and_no_seed_does_not(self, tmp_path: Path) -> None:
        many = conversation_of(
            [Statement(id=0, text="More trees")],
            [Participant(id=one) for one in range(40)],
            [(one, 0, one % 3 - 1) for one in range(40)],
        )
        assert public(many, seed=5).participants == public(many, seed=5).participants
        drawn = {public(many).votes_PS.tobytes() for _ in range(5)}
        assert len(drawn) == 5

    def test_authors_go_with_their_new_ids_if_asked(self, talk: Conversation) -> None:
        made = public(talk, authors=True, seed=1)
        pairs = {(made.votes_PS[one.author].tobytes(), one.id) for one in made.statements if one.author is not None}
        rows = dict(zip(talk.participant_ids.tolist(), talk.votes_PS, strict=True))
        assert pairs == {(rows[one.author].tobytes(), one.id) for one in talk.statements if one.author is not None}

    def test_authors_who_never_voted_get_ids_after_everybody(self) -> None:
        talk = conversation_of(
            [Statement(id=0, text="x", author=0)], [Participant(id=one) for one in (5, 6)], [(5, 0, 1)]
        )
        made = public(talk, authors=True, seed=1)
        assert made.participant_ids.tolist() == [0, 1] and made.statements[0].author == 2

    def test_a_vote_that_another_file_overruled_is_not_published(self, tmp_path: Path) -> None:
        folder = clojure(tmp_path / "town")
        town.replace_in(folder / "votes.csv", ",4,13,-1\n", ",4,13,1\n")  # the matrix and its counts say -1
        talk = open_conversation(folder).conversation
        export_conversation(talk, tmp_path / "out", seed=0)
        found = open_conversation(tmp_path / "out")
        assert sorted(map(bytes, found.conversation.votes_PS)) == sorted(map(bytes, talk.votes_PS))
        assert len(rows_of(tmp_path / "out" / "votes.csv")) == 35


def test_formulas_are_guarded_and_come_back(tmp_path: Path) -> None:
    texts = ["=1+1", "+x", "-x", "@x", "'=1", "\t=1", "plain"]
    talk = conversation_of(
        [Statement(id=at, text=text) for at, text in enumerate(texts)],
        [Participant(id=0, exported_group="=a")],
        [(0, at, 1) for at in range(7)],
        topic="=2",
        description="@3",
    )
    export_conversation(talk, tmp_path, organiser=True)
    with (tmp_path / "comments.csv").open(encoding="utf-8", newline="") as file:
        raw = [row["comment-body"] for row in csv.DictReader(file)]
    assert [cell[0] for cell in raw] == ["'"] * 6 + ["p"]
    found = open_conversation(tmp_path).conversation
    assert [one.text for one in found.statements] == texts
    assert (found.topic, found.description, found.participants[0].exported_group) == ("=2", "@3", "=a")


def test_a_conversation_without_times_has_no_votes_file(tmp_path: Path) -> None:
    talk = open_conversation(clojure(tmp_path / "town", votes=False)).conversation
    told = export_conversation(talk, tmp_path / "out", seed=0)
    assert "no votes.csv: the conversation was imported without times" in told
    assert not (tmp_path / "out" / "votes.csv").exists()


def test_nobody_and_nothing(tmp_path: Path) -> None:
    talk = conversation_of([Statement(id=3, text="More trees")], [], [])
    export_conversation(talk, tmp_path, seed=0)
    found = open_conversation(tmp_path).conversation
    assert [one.id for one in found.statements] == [3] and len(found.participants) == 0


def test_an_export_replaces_only_an_export_and_only_by_force(tmp_path: Path, talk: Conversation) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("")
    with pytest.raises(InputError, match="the folder is not empty"):
        export_conversation(talk, tmp_path / "mine", force=True)
    export_conversation(talk, tmp_path / "out", seed=0)
    with pytest.raises(InputError, match="was written before"):
        export_conversation(talk, tmp_path / "out", seed=0)
    export_conversation(talk, tmp_path / "out", seed=0, force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_times_in_words_are_english() -> None:
    assert words(1_726_860_583_813) == "Fri Sep 20 19:29:43 UTC 2024"


@pytest.mark.parametrize("folder", ["polis/bg2050-volunteers", "polis/server-below-100", "ccai-2023"])
def test_reference_conversations_come_back(tmp_path: Path, reference_data: Path, folder: str) -> None:
    before = open_conversation(reference_data / folder).conversation
    export_conversation(before, tmp_path / "out", organiser=True)
    found = open_conversation(tmp_path / "out")
    assert essence(found.conversation) == essence(before)
    unnamed = tuple(one.model_copy(update={"xid": None}) for one in before.participants)
    assert found.conversation.participants == unnamed
    assert (found.conversation.log is None) == (before.log is None)
    assert before.log is None or logged(found.conversation) == logged(before)
    assert not [one for one in found.findings if one.severity == "repair"]


def test_the_card_of_an_import_of_an_export_says_so(tmp_path: Path, talk: Conversation) -> None:
    from solon.collective.reading.folder import write_import

    export_conversation(talk, tmp_path / "out", organiser=True)
    write_import(open_conversation(tmp_path / "out"), tmp_path / "town")
    card = json.loads((tmp_path / "town" / "imported.json").read_text())
    assert card["source"] == "Polis export out"
