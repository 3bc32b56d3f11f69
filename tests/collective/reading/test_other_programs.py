"""The same conversation as other programs save it: other names, other times, other CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

import polis_exports as town
from polis_exports import clojure, essence, logged, replace_in, server_json
from solon.collective.reading.findings import Import
from solon.collective.reading.folder import open_conversation
from solon.collective.reading.kinds import UNKNOWN, milliseconds, moments, truths, whole
from solon.errors import InputError

RED_DWARF = {"tid": "statement_id", "pid": "participant_id", "mod": "moderated"}


def red_dwarf(folder: Path) -> Path:
    """As red-dwarf saves what the server's API answers: whole names, ISO times of statements, decimal ones of votes."""
    server_json(folder)
    for name in ("comments.json", "votes.json"):
        items = json.loads((folder / name).read_text(encoding="utf-8"))
        renamed = [{RED_DWARF.get(key, key): value for key, value in item.items()} for item in items]
        for item in renamed:
            if "created" in item:
                at = datetime.fromtimestamp(int(item["created"]) / 1000, UTC).isoformat().replace("+00:00", "Z")
                item |= {"created": at, "lang": "en", "velocity": 1, "datetime": None}
            else:
                item |= {"modified": float(item["modified"]), "weight_x_32767": 0, "datetime": None}
        (folder / name).write_text(json.dumps(renamed, indent=1), encoding="utf-8")
    return folder


def said(imported: Import, severity: str) -> list[str]:
    return [str(one) for one in imported.findings if one.severity == severity]


def test_red_dwarfs_files_read_to_the_same_conversation(tmp_path: Path) -> None:
    plain, found = (open_conversation(write(tmp_path / write.__name__ / "town")) for write in (server_json, red_dwarf))
    assert found.conversation.statements == plain.conversation.statements
    assert essence(found.conversation) == essence(plain.conversation)
    assert logged(found.conversation) == logged(plain.conversation)
    assert found.findings == plain.findings


def respelled(separator: str, end: str) -> Callable[[Path], None]:
    def spell(path: Path) -> None:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=separator, lineterminator=f"{end}\n").writerows(rows)
        path.write_text(buffer.getvalue(), encoding="utf-8", newline="")

    return spell


@pytest.mark.parametrize(
    ("separator", "end", "told"),
    [
        (";", "", ["cells are separated by semicolons; read so"]),
        ("\t", "", ["cells are separated by tabs; read so"]),
        (",", ",", ["rows end in 1 empty cell, without a column; read so"]),
        (
            *(";", ";;;"),
            ["cells are separated by semicolons; read so", "rows end in 3 empty cells, without a column; read so"],
        ),
    ],
)
def test_csv_of_spreadsheets_is_read_and_said(tmp_path: Path, separator: str, end: str, told: list[str]) -> None:
    plain = open_conversation(clojure(tmp_path / "plain" / "town"))
    folder = clojure(tmp_path / "other" / "town")
    names = ["comments.csv", "votes.csv", "participants-votes.csv"] + ["summary.csv"] * (not end)
    for name in names:
        respelled(separator, end)(folder / name)
    found = open_conversation(folder)
    assert found.conversation.statements == plain.conversation.statements
    assert essence(found.conversation) == essence(plain.conversation)
    assert logged(found.conversation) == logged(plain.conversation)
    assert sorted(said(found, "repair")) == sorted(f"{name}: {line}" for name in names for line in told)


def test_empty_cells_after_rows_alone_are_no_cells(tmp_path: Path) -> None:
    plain = open_conversation(clojure(tmp_path / "plain" / "town"))
    path = clojure(tmp_path / "other" / "town") / "votes.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *(f"{row},," for row in rows), ""]))
    found = open_conversation(path.parent)
    assert logged(found.conversation) == logged(plain.conversation)
    assert said(found, "repair") == ["votes.csv: rows end in 2 empty cells, without a column; read so"]


def test_whole_numbers_written_as_decimal_ones_are_read_and_said(tmp_path: Path) -> None:
    plain = open_conversation(clojure(tmp_path / "plain" / "town"))
    folder = clojure(tmp_path / "other" / "town")
    votes = [[f"{time}.0", f"{s}.0", f"{p}.0", f"{v}.0"] for time, s, p, v in town.events()]
    town.write(folder / "votes.csv", ["timestamp", "comment-id", "voter-id", "vote"], votes)
    head, *rows = csv.reader(io.StringIO((folder / "participants-votes.csv").read_text(), newline=""))
    rows = [[f"{cell}.0" if cell else "" for cell in row] for row in rows]
    town.write(folder / "participants-votes.csv", [f"{name}.0" if name.isdigit() else name for name in head], rows)
    found = open_conversation(folder)
    assert essence(found.conversation) == essence(plain.conversation)
    assert found.conversation.participants == plain.conversation.participants
    assert logged(found.conversation) == logged(plain.conversation)
    for name in ("votes.csv: voter-id", "votes.csv: vote", "participants-votes.csv: participant"):
        assert f"{name} is written as decimal numbers, 3.0 for 3; read as whole numbers" in said(found, "note")


def test_an_id_that_is_no_whole_number_is_refused(tmp_path: Path) -> None:
    replace_in(clojure(tmp_path) / "votes.csv", ",0,2,-1\n", ",0.5,2,-1\n")
    with pytest.raises(InputError, match=r"votes.csv:2: comment-id is not a whole number: '0.5'"):
        open_conversation(tmp_path)


def test_a_key_that_is_named_otherwise_throughout_is_one_line(tmp_path: Path) -> None:
    path = server_json(tmp_path) / "comments.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"tid"', '"number"'), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        open_conversation(tmp_path)
    assert str(caught.value) == (
        f"{path}:2: no tid or statement_id in any of 7 items; they have 'txt', 'number', 'created', 'pid', 'mod', "
        "'agree_count', 'disagree_count', 'pass_count', 'is_seed', 'is_meta' (name these keys as Polis does, or fetch "
        "the file again)"
    )


def test_a_key_that_some_items_lack_is_told_by_item(tmp_path: Path) -> None:
    replace_in(server_json(tmp_path) / "votes.json", '"pid": 2,', '"who": 2,')
    with pytest.raises(InputError, match=r"votes.json:8, item 1: pid is empty \(export the file again"):
        open_conversation(tmp_path)


@pytest.mark.parametrize(
    ("cell", "time"),
    [
        ("1741000000250", 1741000000250),
        ("1741000000250.0", 1741000000250),
        ("1741000000250.75", 1741000000250),
        ("1741000000", 1741000000000),
        ("1741000000.25", 1741000000250),
        ("2025-03-03T11:06:40.250000Z", 1741000000250),
        ("2025-03-03T12:06:40.25+01:00", 1741000000250),
        ("2025-03-03 11:06:40", 1741000000000),
    ],
)
def test_forms_of_time(cell: str, time: int) -> None:
    found, wrong = moments([cell, cell])
    assert not wrong and milliseconds(found)[0].tolist() == [time, time]


@pytest.mark.parametrize("cell", ["soon", "1e12", "-1741000000000.5", "٣", "2025-13-01T00:00:00Z", "nan"])
def test_what_is_no_time(cell: str) -> None:
    found, wrong = moments(["1741000000250", cell])
    assert [at for at, _ in wrong] == [1] and found[1] == UNKNOWN


def test_kinds_of_cells() -> None:
    assert whole(["1", " 2", "3.0", "", "x"])[0].tolist() == [1, 2, 3, UNKNOWN, UNKNOWN]
    assert [at for at, _ in whole(["1_0", "２", "+1", "7"])[1]] == [0, 1, 2]
    assert truths(["True", "f", "1", "", "yes"])[0].tolist() == [1, 0, 1, UNKNOWN, UNKNOWN]
    assert np.issubdtype(whole([])[0].dtype, np.int64)
