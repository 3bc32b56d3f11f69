"""What is read of large files at once."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.ipc
import pytest

from data.examples import read_prompts, write
from solon.data import tables, text_files
from solon.errors import PromptError


@pytest.mark.parametrize(
    ("name", "start", "number"),
    [("p.jsonl", b'{"prompt": "x"}\n', 2), ("p.jsonl", b'\n{"prompt": "', 2), ("p.csv", b"prompt\nx\n", 3)],
)
def test_a_line_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, start: bytes, number: int
) -> None:
    monkeypatch.setattr(text_files, "_MAX_LINE", 2**20)
    path = tmp_path / f"{name}.gz"
    path.write_bytes(gzip.compress(start + b" " * (2**20 + 2**17)))
    with pytest.raises(PromptError) as error:
        read_prompts(path, "harmful")
    assert str(error.value) == f"{path}:{number}: a line of more than 1 MiB (end each row with a line end)"


def test_a_line_may_be_as_long_as_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "p.jsonl", {"prompt": "x" * 200_000}, {"prompt": "y" * 200_000})
    monkeypatch.setattr(text_files, "_MAX_LINE", 200_000 + len('{"prompt": ""}\n'))
    assert [len(prompt.turns[0].text) for prompt in read_prompts(path, "harmful").prompts] == [200_000] * 2


def test_a_list_on_one_line_is_read_in_pieces() -> None:
    items = [{"prompt": f"{number} {'é' * 1000}"} for number in range(1000)]
    file = io.BufferedReader(io.BytesIO(b"\n \n" + json.dumps(items, ensure_ascii=False).encode()))  # type: ignore[arg-type]
    rows = text_files._json_rows(file)
    first = next(rows)
    assert (first.line, first.read()) == (3, items[0])
    assert file.tell() < 2**18
    assert [row.read() for row in rows] == items[1:]


@pytest.mark.parametrize(
    ("new", "compression"),
    [(pyarrow.ipc.new_file, "lz4"), (pyarrow.ipc.new_stream, "lz4"), (pyarrow.ipc.new_stream, None)],
)
def test_an_arrow_file_of_one_batch(tmp_path: Path, new: Callable[..., Any], compression: str | None) -> None:
    """What is not asked for is not read. (Of a plain file, room is reserved for it that is never touched.)"""
    size = 2**24
    table = pyarrow.table({"other": [bytes(size)], "more": [1], "prompt": ["x"]})
    path = tmp_path / "p.arrow"
    with new(str(path), table.schema, options=pyarrow.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    del table
    before, most = pyarrow.total_allocated_bytes(), 0
    for row in tables.rows(path, {"prompt"}):
        assert row.read() == {"prompt": "x"}
        most = max(most, pyarrow.total_allocated_bytes())
    assert most - before < size / 2
