from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.collective.csv_text import as_integer, guard, unguard
from solon.collective.tables import read_csv, write_csv
from solon.errors import InputError

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1", "'=1", "''-x"]


def test_text_that_looks_like_a_formula_is_guarded_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "table.csv"
    write_csv(path, ["id", "text"], [(at, text) for at, text in enumerate(FORMULAS)])
    assert read_csv(path).column("text") == FORMULAS
    with path.open(encoding="utf-8", newline="") as file:
        assert all(row["text"].startswith("'") for row in csv.DictReader(file))


def test_numbers_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    row = (-1, np.int64(-2), -0.5, np.float64(0.1), True, np.bool_(False), None, "-1")
    write_csv(path, list("abcdefgh"), [row])
    assert path.read_bytes() == b"a,b,c,d,e,f,g,h\n-1,-2,-0.5,0.1,true,false,,'-1\n"


def test_what_is_not_a_cell_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="not a cell: list"):
        write_csv(tmp_path / "table.csv", ["a"], [([],)])


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_guarding_is_undone(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text)[:1] or guard(text)[0] not in "=+-@\t\r\n"


@given(
    st.lists(st.tuples(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.text()))
)
def test_any_table_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("any") / "table.csv"
    write_csv(path, ["n", "a"], [(at, row[0]) for at, row in enumerate(rows)])
    assert read_csv(path).column("a") == [row[0] for row in rows]


def test_lone_surrogates_and_nul_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_csv(path, ["n", "a"], [(1, "x\ud800y\0z")])
    assert read_csv(path).column("a") == ["x\ufffdy\ufffdz"]


def test_rows_know_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b'\xef\xbb\xbfid, text\r\n\r\n1,"two\nlines"\r\n2,x\r\n')
    table = read_csv(path)
    assert table.header == ("id", "text")
    assert [(row.where.line, row.integer("id")) for row in table] == [(3, 1), (5, 2)]
    with pytest.raises(InputError, match=rf"^{path}:5: text is not a whole number: 'x' \(write digits only\)$"):
        list(table)[1].integer("text")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", ": the file is empty"),
        (b"a,b\n1,2\n3\n", ":3: 1 cells under 2 columns"),
        (b'a,b\n1,"2\n3,4\n', ":2: broken CSV: unexpected end of data"),
        (b'a,b\n1,"2"x\n', ":2: broken CSV"),
        (b"a,a\n1,2\n", ":1: columns with the same name: 'a'"),
        (b"a,b\n1,\xe9\n", ":2: not UTF-8: byte 0xe9"),
        (b"a,b\n1,\x00\n", ":2: a NUL byte"),
        ("a,b\n1,2\n".encode("utf-16"), ": the file is UTF-16"),
    ],
)
def test_faults_are_named_with_their_line(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as caught:
        read_csv(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_missing_files_and_columns(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_csv(tmp_path)
    path = tmp_path / "table.csv"
    path.write_text("a,b\n")
    with pytest.raises(InputError, match=r"table.csv:1: no column c \(columns: 'a', 'b'\)"):
        read_csv(path).require("a", "c")


def test_many_ragged_rows_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1\n" * 30)
    with pytest.raises(InputError) as caught:
        read_csv(path)
    assert str(caught.value).startswith(f"{path}:2: 1 cells under 2 columns in all 30 rows (close quotes")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(tmp_path / "file" / "table.csv", ["a"], [])


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_csv(tmp_path / "new" / "table.csv", ["a"], [])


def test_whole_numbers_are_ascii_digits() -> None:
    assert [as_integer(cell) for cell in ("7", "-1", " 3 ", "1_0", "２", "1.0", "9" * 19, "+1", "")] == [
        7, -1, 3, None, None, 1, None, None, None,
    ]  # fmt: skip
