"""Exports that cannot be read: one clear error each, with its file and its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import polis_exports as town
from polis_exports import clojure, essence, replace_in, server_csv, server_json
from solon.collective.reading import exported
from solon.collective.reading.folder import open_conversation
from solon.errors import InputError


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_conversation(folder)
    assert all(fault.where is not None for fault in caught.value.faults)
    return str(caught.value).replace(f"{folder}/", "")


class TestFolders:
    def test_there_is_none(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "none").endswith("none: no such folder")

    def test_it_is_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "votes.csv").write_text("")
        assert "votes.csv: is a file, not the folder of an export" in refused(tmp_path / "votes.csv")

    def test_it_is_empty(self, tmp_path: Path) -> None:
        assert "no comments.csv or comments.json (give the folder of a Polis export" in refused(tmp_path)

    def test_its_name_is_too_long(self, tmp_path: Path) -> None:
        assert "cannot be read: File name too long" in refused(tmp_path / ("x" * 300))

    def test_two_exports_in_one(self, tmp_path: Path) -> None:
        clojure(tmp_path)
        server_json(tmp_path)
        assert "both comments.csv and comments.json" in refused(tmp_path)

    def test_two_matrices(self, tmp_path: Path) -> None:
        clojure(tmp_path)
        town.matrix(tmp_path / "participant-votes.csv", -1)
        assert "both participants-votes.csv and participant-votes.csv" in refused(tmp_path)

    def test_no_votes(self, tmp_path: Path) -> None:
        clojure(tmp_path, votes=False)
        (tmp_path / "participants-votes.csv").unlink()
        assert "no votes: neither votes.csv nor participants-votes.csv" in refused(tmp_path)

    def test_json_without_votes(self, tmp_path: Path) -> None:
        server_json(tmp_path)
        (tmp_path / "votes.json").unlink()
        assert "comments.json without votes.json (add the conversation's votes)" in refused(tmp_path)

    def test_a_folder_where_a_file_should_be(self, tmp_path: Path) -> None:
        clojure(tmp_path)
        (tmp_path / "summary.csv").unlink()
        (tmp_path / "summary.csv").mkdir()
        assert "summary.csv: cannot be read: Is a directory" in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("votes.csv", "vote\n", "ballot\n", "votes.csv:1: no column vote (columns: "),
        ("comments.csv", "comment-body", "words", "comments.csv:1: no column comment-body"),
        ("participants-votes.csv", "participant,", "who,", "participants-votes.csv:1: no column participant"),
        ("participants-votes.csv", ",10\n", ",9\n", "participants-votes.csv:1: columns with the same name: '9'"),
        ("participants-votes.csv", ",10\n", ",09\n", "participants-votes.csv:1: columns with the same name: '9'"),
        ("participants-votes.csv", ",10\n", ",2147483648\n", "participants-votes.csv:1: statement 2147483648 is no id"),
        ("votes.csv", ",0,2,-1\n", ",0,2,7\n", "votes.csv:2: vote is not 1, 0 or -1: '7'"),
        ("votes.csv", ",0,2,-1\n", ',0,2,"1,1"\n', "votes.csv:2: vote is not a whole number: '1,1'"),
        ("votes.csv", ",0,2,-1\n", ",0,2,１\n", "votes.csv:2: vote is not a whole number: '１'"),
        (
            "votes.csv",
            ",0,2,-1\n",
            ",0,2147483648,-1\n",
            "votes.csv:2: voter-id is no id: ids run from 0 to 2,147,483,647: '2147483648'",
        ),
        ("votes.csv", ",0,2,-1\n", f",0,{'9' * 30},-1\n", "votes.csv:2: voter-id is not a whole number: '999"),
        ("votes.csv", ",0,2,-1\n", ",-4,2,-1\n", "votes.csv:2: comment-id is no id: ids run from"),
        ("votes.csv", ",0,2,-1\n", ",0,2\n", "votes.csv:2: 4 cells under 5 columns (close quotes, quote what"),
        (
            "votes.csv",
            "1700000001000",
            "17000000",
            "votes.csv:2: timestamp is no time between 2000 and 2100 in milliseconds",
        ),
        ("votes.csv", "1700000001000", '"1700000001000', "votes.csv:2: broken CSV"),
        ("comments.csv", ",0,1,4,2,1,", ",zero,1,4,2,1,", "comments.csv:2: comment-id is not a whole number: 'zero'"),
        ("comments.csv", ",0,1,4,2,1,", ",0,1,4,2,2,", "comments.csv:2: moderated is not 1, 0 or -1: '2' (1: accepted"),
        ("comments.csv", ",0,1,4,2,1,", ",0,x,4,2,1,", "comments.csv:2: author-id is not a whole number: 'x'"),
        ("comments.csv", "false,true", "false,maybe", "comments.csv:2: is-seed is neither true nor false: 'maybe'"),
        ("participants-votes.csv", ",1,-1,", ",1,2,", "participants-votes.csv:2: 4 is not 1, 0, -1 or empty: '2'"),
    ],
)
def test_what_is_wrong_in_a_csv_file_is_named_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    replace_in(clojure(tmp_path) / name, old, new)
    assert message in refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("votes.json", '"vote": -1', '"vote": 2', "votes.json:2, item 0: vote is not 1, 0 or -1: '2'"),
        ("votes.json", '"pid": 2', '"pid": 2.5', "votes.json:8, item 1: pid is not a whole number: '2.5'"),
        ("votes.json", '"tid": 0', '"tid": null', "votes.json:2, item 0: tid is empty"),
        (
            "votes.json",
            '"modified": "17',
            '"modified": "99',
            "votes.json:2, item 0: modified is no time between 2000 and 2100",
        ),
        (
            "comments.json",
            '"mod": 1',
            '"mod": "hidden"',
            "comments.json:2, item 0: mod is not a whole number: 'hidden' (1: accepted",
        ),
        (
            "comments.json",
            '"tid": 1,',
            '"tid": 0,',
            "comments.json:14, item 1: tid 0 again, with other cells than in line 2",
        ),
        ("comments.json", '"is_seed": true', '"is_seed": "yes"', "is_seed is neither true nor false: 'yes'"),
        (
            "comments.json",
            '"tid": 0',
            f'"tid": {10**30}',
            "comments.json:2, item 0: tid is not a whole number: '100000000000000000000",
        ),
        ("comments.json", "[", "{", "comments.json:2: broken JSON"),
        ("conversation.json", "{", "[{", "conversation.json:1: broken JSON"),
    ],
)
def test_what_is_wrong_in_a_json_file_is_named_with_its_line(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    replace_in(server_json(tmp_path) / name, old, new)
    assert message in refused(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("null", "votes.json:1: not a list of objects but nothing"),
        ("{}", "votes.json:1: not a list of objects but an object"),
        ("[[1]]", "votes.json:1, item 0: not an object but a list ('[1]')"),
        ("[" * 100_000, "votes.json: broken JSON"),
        (f'[{{"pid": {"9" * 5000}}}]', "votes.json: broken JSON"),
        ("", "votes.json:1: broken JSON"),
    ],
)
def test_json_of_another_shape(tmp_path: Path, text: str, message: str) -> None:
    (server_json(tmp_path) / "votes.json").write_text(text)
    assert message in refused(tmp_path)


def test_a_cause_that_all_items_share_is_said_once(tmp_path: Path) -> None:
    path = server_json(tmp_path) / "votes.json"
    path.write_text(json.dumps([{**item, "vote": 5} for item in json.loads(path.read_text())]))
    assert refused(tmp_path) == (
        "votes.json:1, item 0: vote is not 1, 0 or -1 in all 36 items: '5' (export the file again, or mend the line)"
    )


def test_a_cause_that_many_rows_share_is_said_once_with_their_lines(tmp_path: Path) -> None:
    path = clojure(tmp_path) / "votes.csv"
    path.write_text(path.read_text().replace(",1\n", ",yes\n").replace(",0\n", ",none\n"))
    (told,) = refused(tmp_path).splitlines()
    assert told.startswith(
        "votes.csv:3: vote is not a whole number in 27 of 39 rows: 'yes', 'none'; lines 3, 4, 6, 7, "
    )


def test_faults_of_several_columns_are_told_together(tmp_path: Path) -> None:
    replace_in(clojure(tmp_path) / "votes.csv", ",0,2,-1\n", ",0,two,7\n")
    assert [line.split(" (")[0] for line in refused(tmp_path).splitlines()] == [
        "votes.csv:2: voter-id is not a whole number: 'two'",
        "votes.csv:2: vote is not 1, 0 or -1: '7'",
    ]


def test_more_people_than_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exported, "MAX_PARTICIPANTS", 5)
    assert "6 participants; at most 5 can be analysed (Polis has the same cap" in refused(clojure(tmp_path))


def test_no_statements(tmp_path: Path) -> None:
    town.write(tmp_path / "comments.csv", ["comment-id", "comment-body"], [])
    town.write(tmp_path / "votes.csv", ["voter-id", "comment-id", "vote"], [])
    assert "comments.csv: no statements" in refused(tmp_path)


@pytest.mark.parametrize("writer", [clojure, server_csv, server_json])
def test_nobody_voted(tmp_path: Path, writer: Callable[[Path], Path]) -> None:
    writer(tmp_path)
    for path in tmp_path.glob("*votes.*"):
        path.write_text("[]" if path.suffix == ".json" else path.read_text().split("\n")[0] + "\n")
    (tmp_path / "math-pca2.json").unlink(missing_ok=True)
    talk = open_conversation(tmp_path).conversation
    assert len(talk.participants) == 0 and talk.votes_PS.shape == (0, len(town.TEXT))


class TestBytes:
    @pytest.mark.parametrize("name", ["comments.csv", "votes.csv", "participants-votes.csv", "summary.csv"])
    def test_nul_bytes_are_named_with_their_line(self, tmp_path: Path, name: str) -> None:
        path = clojure(tmp_path) / name
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([lines[0], lines[1] + b"\0", *lines[2:]]))
        assert refused(tmp_path).startswith(f"{name}:2: a NUL byte (the file is damaged")

    @pytest.mark.parametrize(
        ("encoding", "message"),
        [
            ("utf-16", "comments.csv: the file is UTF-16 (save it as UTF-8)"),
            ("utf-16-le", "comments.csv:1: a NUL byte"),
            ("cp1252", "comments.csv:4: not UTF-8: byte 0x"),
        ],
    )
    def test_another_encoding_is_named(self, tmp_path: Path, encoding: str, message: str) -> None:
        path = clojure(tmp_path) / "comments.csv"
        text = path.read_text(encoding="utf-8").replace("日本庭園をもっと", "cafés").replace("swamp", "swämp")
        path.write_bytes(text.encode(encoding))
        assert refused(tmp_path).startswith(message)

    @pytest.mark.parametrize("end", [b"\r\n", b"\n\n"])
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_byte_order_marks_line_ends_and_blank_lines_change_nothing(
        self, tmp_path: Path, end: bytes, mark: bytes
    ) -> None:
        good = open_conversation(clojure(tmp_path / "good")).conversation
        folder = clojure(tmp_path / "town")
        for name in ("votes.csv", "participants-votes.csv"):
            (folder / name).write_bytes(mark + (folder / name).read_bytes().replace(b"\n", end))
        (folder / "comments.csv").write_bytes(mark + (folder / "comments.csv").read_bytes())
        imported = open_conversation(folder)
        assert essence(imported.conversation) == essence(good)
        assert not [one for one in imported.findings if one.severity != "note"]

    def test_a_file_that_ends_in_the_middle_of_a_line_is_doubted(self, tmp_path: Path) -> None:
        path = clojure(tmp_path) / "votes.csv"
        path.write_bytes(path.read_bytes()[:-1])
        told = [str(one) for one in open_conversation(tmp_path).findings if one.severity == "warning"]
        assert told == ["votes.csv: the last line has no end: the file may be cut off"]


class TestMissingColumns:
    def test_each_that_may_be_missing_is_said(self, tmp_path: Path) -> None:
        clojure(tmp_path)
        town.write(tmp_path / "comments.csv", ["comment-id", "comment-body"], list(town.TEXT.items()))
        people = [[person, *[town.latest().get((person, one), "") for one in town.TEXT]] for person in town.PEOPLE]
        town.write(tmp_path / "participants-votes.csv", ["participant", *map(str, town.TEXT)], people)
        talk = open_conversation(tmp_path)
        told = [str(one) for one in talk.findings if one.severity == "warning"]
        for name in ("author-id", "moderated", "timestamp", "agrees", "disagrees"):
            assert sum(line.startswith(f"comments.csv: no column {name};") for line in told) == 1
        for name in ("group-id", "n-comments", "n-votes", "n-agree", "n-disagree"):
            assert sum(line.startswith(f"participants-votes.csv: no column {name};") for line in told) == 1
        assert talk.conversation.votes_PS.shape == (len(town.PEOPLE), len(town.TEXT))

    def test_times_in_words_that_differ_from_the_numbers_are_said(self, tmp_path: Path) -> None:
        time = town.events()[3][0]
        replace_in(clojure(tmp_path) / "votes.csv", town.words(time), town.words(time + town.HOUR))
        told = [str(one) for one in open_conversation(tmp_path).findings if one.severity == "warning"]
        assert told == [f"votes.csv: timestamp and datetime differ in 1 row: timestamp {time}; timestamp counts"]

    def test_times_as_servers_write_them_are_compared(self, tmp_path: Path) -> None:
        path = clojure(tmp_path) / "votes.csv"

        def words(time: int) -> str:
            day, month, date, clock, _, year = town.words(time).split()
            return f"{day} {month} {date} {year} {clock} GMT+0000 (Coordinated Universal Time)"

        rows = [[time, words(time), s, p, v] for time, s, p, v in town.events()]
        town.write(path, ["timestamp", "datetime", "comment-id", "voter-id", "vote"], rows)
        assert not [one for one in open_conversation(tmp_path).findings if "datetime" in one.what]
        replace_in(path, words(rows[3][0]), words(rows[3][0] + town.HOUR))
        told = [one.what for one in open_conversation(tmp_path).findings if "datetime" in one.what]
        assert told == [f"timestamp and datetime differ in 1 row: timestamp {rows[3][0]}"]

    def test_times_of_another_zone_agree(self, tmp_path: Path) -> None:
        path = clojure(tmp_path) / "votes.csv"
        rows = [
            [time, town.words(time - 5 * town.HOUR).replace("UTC", "CDT"), s, p, v] for time, s, p, v in town.events()
        ]
        town.write(path, ["timestamp", "datetime", "comment-id", "voter-id", "vote"], rows)
        assert not [one for one in open_conversation(tmp_path).findings if one.severity != "note"]


class TestSummary:
    @pytest.mark.parametrize("first", ["Our town", "Your town"])
    def test_a_key_with_two_values_is_ignored_whichever_comes_first(self, tmp_path: Path, first: str) -> None:
        second = {"Our town": "Your town", "Your town": "Our town"}[first]
        (clojure(tmp_path) / "summary.csv").write_text(f"topic,{first}\ntopic,{second}\nconversation-description,x\n")
        imported = open_conversation(tmp_path)
        assert imported.conversation.topic == "" and imported.conversation.description == "x"
        told = [str(one) for one in imported.findings if one.severity == "warning"]
        assert told[0] == "summary.csv: 1 key with more than one value: 'topic'; ignored"

    def test_odd_lines_and_keys_are_ignored_and_said(self, tmp_path: Path) -> None:
        with open(clojure(tmp_path) / "summary.csv", "a") as file:
            file.write("a,b,c\nmood,good\n")
        told = [str(one) for one in open_conversation(tmp_path).findings if one.severity == "warning"]
        assert told == [
            "summary.csv: 1 line without a key and a value; ignored",
            "summary.csv: 1 unknown key: 'mood'; ignored",
        ]
