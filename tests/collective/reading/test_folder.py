"""The imported folder: the same bytes for the same conversation, whole or not there, and read back as it was."""

from __future__ import annotations

import csv
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import polis_exports as town
from polis_exports import clojure, essence, folder_bytes, logged, replace_in, server_csv, server_json
from solon.collective.reading import folder as module
from solon.collective.reading.folder import open_conversation, write_import
from solon.collective.tables import read_csv
from solon.errors import InputError


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("imported")
    write_import(open_conversation(clojure(folder / "export", xid=True)), folder / "town")
    return folder / "town"


@pytest.fixture
def imported(written: Path, tmp_path: Path) -> Path:
    """One that may be damaged."""
    return Path(shutil.copytree(written, tmp_path / "town"))


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_conversation(folder)
    return str(caught.value).replace(f"{folder}/", "")


def test_what_is_written(imported: Path) -> None:
    assert list(folder_bytes(imported)) == [
        "events.csv",
        "findings.csv",
        "imported.json",
        "latest.csv",
        "participants.csv",
        "statements.csv",
    ]
    card = json.loads((imported / "imported.json").read_text())
    assert card["vote_sign"] == "1 agree, -1 disagree, 0 pass" and card["source"] == "Polis export export"
    assert (card["participants"], card["statements"], card["votes"], card["events"]) == (6, 7, 36, 39)
    rows = (imported / "participants.csv").read_text().splitlines()
    groups = [(1, "0"), (2, "0"), (3, "1"), (5, "1"), (8, "0"), (13, "")]
    named = [f"{person},{group},panel-{person}" for person, group in groups]
    assert rows == ["participant,exported-group,xid", *named]
    assert (imported / "latest.csv").read_text().splitlines()[:3] == ["participant,comment-id,vote", "1,0,1", "1,1,1"]
    first = town.events()[0]
    assert (imported / "events.csv").read_text().splitlines()[1] == f"{first[0]},{first[2]},{first[1]},{first[3]}"


def test_external_ids_stand_in_one_file_and_no_formula_is_written(imported: Path) -> None:
    for name, data in folder_bytes(imported).items():
        assert (b"panel-" in data) == (name == "participants.csv"), name
    assert "'=SUM(1,2) is no opinion" in (imported / "statements.csv").read_text(encoding="utf-8")
    assert {row["comment-id"]: row["text"] for row in read_csv(imported / "statements.csv")} == {
        str(number): text for number, text in town.TEXT.items()
    }


@pytest.mark.parametrize(
    "writer",
    [clojure, lambda folder, order=None: clojure(folder, votes=False, xid=True, order=order), server_csv, server_json],
)
def test_the_order_of_the_export_leaves_no_trace(tmp_path: Path, writer: Callable[..., Path]) -> None:
    written = []
    for seed in range(3):
        order = random.Random(seed) if seed else None
        found = open_conversation(writer(tmp_path / f"{seed}" / "export", order=order))
        write_import(found, tmp_path / f"{seed}" / "town")
        written.append(folder_bytes(tmp_path / f"{seed}" / "town"))
    assert all(one == written[0] for one in written)


def test_even_where_the_export_is_odd(tmp_path: Path) -> None:
    """Findings name ids, not lines, so that they too are the same."""
    written = []
    for seed in range(3):
        folder = clojure(tmp_path / f"{seed}" / "export")
        votes = [[time, s, p, v] for time, s, p, v in town.events()]
        votes += [votes[3], votes[9], [*votes[5][:3], 1], [*votes[5][:3], -1], [*votes[5][:3], 0]]
        order = random.Random(seed) if seed else None
        town.write(folder / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], votes, order)
        rows = [[one, "x" if one == 4 else -2 if one == 9 else 1, text] for one, text in town.TEXT.items()]
        rows.append(rows[1])
        town.write(folder / "comments.csv", ["comment-id", "agrees", "comment-body"], rows, order)
        found = open_conversation(folder, vote_sign=1)
        assert len([one for one in found.findings if one.severity != "note"]) > 5
        write_import(found, tmp_path / f"{seed}" / "town")
        written.append(folder_bytes(tmp_path / f"{seed}" / "town"))
    assert all(one == written[0] for one in written)


@pytest.mark.parametrize("writer", [clojure, server_csv, server_json])
def test_it_reads_back_as_it_was(tmp_path: Path, writer: Callable[[Path], Path]) -> None:
    before = open_conversation(writer(tmp_path / "export"))
    write_import(before, tmp_path / "town")
    after = open_conversation(tmp_path / "town")
    assert essence(after.conversation) == essence(before.conversation)
    assert after.conversation.statements == before.conversation.statements
    assert after.conversation.participants == before.conversation.participants
    assert logged(after.conversation) == logged(before.conversation)
    assert after.findings == before.findings
    write_import(after, tmp_path / "again")
    assert folder_bytes(tmp_path / "again") == folder_bytes(tmp_path / "town")


def test_a_conversation_without_times_reads_back_without_a_log(tmp_path: Path) -> None:
    write_import(open_conversation(clojure(tmp_path / "export", votes=False)), tmp_path / "town")
    assert not (tmp_path / "town" / "events.csv").exists()
    assert open_conversation(tmp_path / "town").conversation.log is None


def test_the_order_of_its_rows_and_columns_does_not_matter_either(imported: Path) -> None:
    good = open_conversation(imported)
    for name in ("statements.csv", "participants.csv", "latest.csv"):
        with (imported / name).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        town.write(imported / name, header, rows, random.Random(5))
    after = open_conversation(imported)
    assert essence(after.conversation) == essence(good.conversation)
    changed = [one.where for one in after.findings if "changed after the import" in one.what]
    assert changed == ["latest.csv", "participants.csv", "statements.csv"]


def test_the_sign_was_settled_at_the_import(imported: Path) -> None:
    with pytest.raises(InputError, match=r"was imported before: \+1 means agree in it"):
        open_conversation(imported, vote_sign=-1)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("latest.csv", "1,0,1\n", "1,0,2\n", "latest.csv:2: vote is not 1, 0 or -1: '2'"),
        ("latest.csv", "1,0,1\n", "4,0,1\n", "latest.csv:2: no participant 4 in this conversation"),
        ("latest.csv", "1,0,1\n", "1,3,1\n", "latest.csv:2: no comment-id 3 in this conversation"),
        ("latest.csv", "1,1,1\n", "1,0,1\n", "latest.csv:3: a second vote of this participant on this statement"),
        ("latest.csv", "vote", "ballot", "latest.csv:1: no column vote"),
        ("events.csv", "timestamp", "when", "events.csv:1: no column timestamp"),
        (
            "participants.csv",
            "\n2,0",
            "\n1,0",
            "participants.csv:3: participant 1 again, with other cells than in line 2",
        ),
        ("statements.csv", "\n1,1,1,", "\n0,1,1,", "statements.csv:3: comment-id 0 again, with other cells than"),
        ("statements.csv", "\n1,1,1,", "\n1,1,5,", "statements.csv:3: moderated is not 1, 0 or -1: '5'"),
        ("statements.csv", "1700000000000", "17", "statements.csv:2: timestamp is no time between 2000"),
        ("events.csv", "\n1700000001000,", "\n9,", "events.csv:2: timestamp is no time between 2000"),
        ("findings.csv", "\nnote,", "\nrumour,", "severity is 'rumour' (note, repair or warning)"),
        ("imported.json", "solon conversation 1", "solon conversation 9", "another format: 'solon conversation 9'"),
        ("imported.json", '"votes": 36', '"votes": "all"', "imported.json: cannot be read: votes: Input should be"),
        ("imported.json", '"votes"', '"vote"', "imported.json: cannot be read: votes: Field required"),
        ("imported.json", "{", "", "imported.json:2: broken JSON"),
    ],
)
def test_what_was_damaged_by_hand_is_named(imported: Path, name: str, old: str, new: str, message: str) -> None:
    replace_in(imported / name, old, new)
    assert message in refused(imported)


@pytest.mark.parametrize("name", ["statements.csv", "participants.csv", "latest.csv", "events.csv", "findings.csv"])
def test_a_missing_file_is_named(imported: Path, name: str) -> None:
    (imported / name).unlink()
    assert refused(imported) == f"{name}: no such file"


class TestWriting:
    def test_a_folder_of_something_else_is_never_replaced(self, tmp_path: Path) -> None:
        found = open_conversation(clojure(tmp_path / "export"))
        before = folder_bytes(tmp_path / "export")
        for force in (False, True):
            with pytest.raises(InputError, match=r"export: the folder is not empty \(name another with -o\)"):
                write_import(found, tmp_path / "export", force=force)
        assert folder_bytes(tmp_path / "export") == before

    def test_a_conversation_imported_before_is_replaced_only_by_force(self, tmp_path: Path, imported: Path) -> None:
        (imported / "notes.txt").write_text("mine")
        other = open_conversation(server_json(tmp_path / "json"))
        with pytest.raises(InputError, match=r"was written before .*--force"):
            write_import(other, imported)
        assert (imported / "notes.txt").exists()
        write_import(other, imported, force=True)
        assert not (imported / "notes.txt").exists()
        assert open_conversation(imported).conversation.source == "server JSON json"

    def test_an_empty_folder_is_filled(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = open_conversation(clojure(tmp_path / "export"))
        (tmp_path / "empty").mkdir()
        monkeypatch.chdir(tmp_path / "empty")
        write_import(found, Path())
        assert (tmp_path / "empty" / "imported.json").is_file()

    def test_a_file_is_in_the_way(self, tmp_path: Path) -> None:
        found = open_conversation(clojure(tmp_path / "export"))
        (tmp_path / "town").write_text("mine")
        with pytest.raises(InputError, match=r"town: is a file \(name a folder with -o\)"):
            write_import(found, tmp_path / "town")
        with pytest.raises(InputError, match="cannot be written: Not a directory"):
            write_import(found, tmp_path / "town" / "deeper")

    @pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), KeyboardInterrupt()])
    @pytest.mark.parametrize("there", [False, True])
    def test_an_interrupted_write_leaves_nothing_half_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, there: bool
    ) -> None:
        found = open_conversation(clojure(tmp_path / "export"))
        if there:
            write_import(found, tmp_path / "town")
        before = {path.name for path in tmp_path.iterdir()}
        good = folder_bytes(tmp_path / "town") if there else {}

        def fails(*_: object, **__: object) -> None:
            raise fault

        monkeypatch.setattr(module, "canonical_json", fails)
        expected = InputError if isinstance(fault, OSError) else KeyboardInterrupt
        with pytest.raises(expected):
            write_import(found, tmp_path / "town", force=True)
        assert {path.name for path in tmp_path.iterdir()} == before
        assert not there or folder_bytes(tmp_path / "town") == good

    def test_what_a_killed_write_left_is_no_obstacle(self, tmp_path: Path) -> None:
        for leftover in (".town.new", "..town.new.0f3a.tmp", ".town.before"):
            (tmp_path / leftover).mkdir()
            (tmp_path / leftover / "half.csv").write_text("")
        write_import(open_conversation(clojure(tmp_path / "export")), tmp_path / "town")
        assert {path.name for path in tmp_path.iterdir()} == {"export", "town"}
        assert "half.csv" not in folder_bytes(tmp_path / "town")
