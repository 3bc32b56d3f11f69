from __future__ import annotations

from pathlib import Path

import pytest

from solon.artifacts.shards import encode_rows
from solon.artifacts.stored import StoredRows
from solon.errors import RunError
from solon.records import Turn


def turn(text: str) -> Turn:
    return Turn(role="human", text=text)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Rows 0 and 1, none, and rows 2 to 4; of unlike lengths, one with every kind of line end in its text."""
    texts = [["0", "1" * 5000], [], ["2\n\r\u2028\x0b", "\u00e9", ""]]
    paths = [tmp_path / f"{number}.jsonl" for number in range(3)]
    for path, found in zip(paths, texts, strict=True):
        path.write_bytes(encode_rows(map(turn, found)))
    return paths


def test_rows_are_a_sequence_over_files(files: list[Path]) -> None:
    every = [turn(text) for text in ("0", "1" * 5000, "2\n\r\u2028\x0b", "\u00e9", "")]
    rows = StoredRows(files, Turn)
    assert len(rows) == 5 and list(rows) == every
    assert [rows[number] for number in range(-5, 5)] == every * 2
    assert [rows[first : first + 2] for first in range(6)] == [every[first : first + 2] for first in range(6)]
    assert rows[::-2] == every[::-2] and every[3] in rows and rows.index(every[4]) == 4
    with pytest.raises(IndexError):
        rows[5]


def test_no_rows() -> None:
    assert not StoredRows([], Turn) and list(StoredRows([], Turn)) == [] == StoredRows([], Turn)[:3]


def test_what_is_no_record_is_named_when_it_is_read(files: list[Path]) -> None:
    lines = files[2].read_bytes().splitlines()
    files[2].write_bytes(b"\n".join([b"{}", lines[1], b"no json"]))
    rows = StoredRows(files, Turn)
    assert rows[3] == turn("\u00e9")
    with pytest.raises(RunError) as one:
        rows[2:4]
    assert str(one.value) == f"{files[2]}:1: not a Turn: role: Field required"
    with pytest.raises(RunError) as every:
        list(rows)
    first, last = str(every.value).split("\n")
    assert first == str(one.value) and last.startswith(f"{files[2]}:3: not a Turn: Invalid JSON")
