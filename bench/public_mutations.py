"""Ways in which an export arrives damaged. Each takes the files and a generator, and gives damaged files back.

A mutation that cannot be done to these files (a sign swapped in a layout without that file) gives None.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from public_exports import Files, as_csv

Rng = np.random.Generator
Mutation = Callable[[Files, Rng], Files | None]
Rows = list[list[str]]

NASTY = (
    "", " ", "NaN", "nan", "null", "None", "-", "--1", "1.5", "1e3", "1e309", "-5", "7", "2", "-2", "+1", "１", "1_0",
    "0x1", "99999999999", "999999999999999999999999", "-9223372036854775809", "true", "TRUE", "yes", "foo", "=1+1",
    "@x", "'1", "1,1", '"', "\n", "\t1", " 1 ", "💥", "\u202eabc", "é", "\x07", "inf", "[]", "{}", "1970-01-01",
    "2147483648",
)  # fmt: skip
WRONG: tuple[object, ...] = (
    None, True, False, -1, 0, 2, 1.5, 1e400, "", "x", "1", "-1", [], {}, [1], {"a": 1}, 10**30, "9" * 40, -(10**12),
)  # fmt: skip


def fuzzed_cell(files: Files, rng: Rng) -> Files | None:
    """One cell of one CSV file becomes something that does not belong there."""
    return _edit(files, rng, lambda rows: _put(rows, rng, lambda _: str(rng.choice(np.array(NASTY, dtype=object)))))


def fuzzed_cells(files: Files, rng: Rng) -> Files | None:
    """A twentieth of the cells of one file."""

    def edit(rows: Rows) -> None:
        for _ in range(1 + len(rows) * len(rows[0]) // 20):
            _put(rows, rng, lambda _: str(rng.choice(np.array(NASTY, dtype=object))))

    return _edit(files, rng, edit)


def other_number(files: Files, rng: Rng) -> Files | None:
    """One number becomes another that could stand there."""

    def other(cell: str) -> str:
        if not cell.lstrip("-").isdigit():
            return cell
        step = int(rng.choice([-60_000, -2, -1, 1, 2, 3_600_000] if len(cell) > 8 else [-2, -1, 1, 2]))
        return str(int(cell) + step)

    return _edit(files, rng, lambda rows: _put(rows, rng, other))


def other_vote(files: Files, rng: Rng) -> Files | None:
    """One vote in one place becomes another vote, or appears, or goes."""
    name = _pick(files, rng, ("votes.csv", "participants-votes.csv", "participant-votes.csv", "votes.json"))
    if name is None:
        return None
    if name.endswith(".json"):
        items = json.loads(files[name])
        one = items[rng.integers(len(items))]
        one["vote"] = int(rng.choice([vote for vote in (-1, 0, 1) if vote != one["vote"]]))
        return {**files, name: json.dumps(items).encode()}
    rows = _rows(files[name])
    columns = [at for at, title in enumerate(rows[0]) if title == "vote" or title.isdigit()]
    row, column = int(rng.integers(1, len(rows))), int(rng.choice(columns))
    choices = ["-1", "0", "1"] if name == "votes.csv" else ["-1", "0", "1", ""]
    rows[row][column] = str(rng.choice([vote for vote in choices if vote != rows[row][column]]))
    return {**files, name: as_csv(rows[0], rows[1:])}


def huge_id(files: Files, rng: Rng) -> Files | None:
    """An id beyond what Polis gives, in one place or throughout a column."""

    def edit(rows: Rows) -> None:
        ids = [at for at, name in enumerate(rows[0]) if name in ("comment-id", "author-id", "voter-id", "participant")]
        if not ids:
            return
        column, huge = int(rng.choice(ids)), int(rng.choice([2**31, 2**40, 2**62])) if rng.random() < 0.7 else 10**30
        chosen = rows[1:] if rng.random() < 0.3 else [rows[int(rng.integers(1, len(rows)))]]
        for row in chosen:
            row[column] = str(huge + int(row[column] or 0))

    return _edit(files, rng, edit)


def impossible_count(files: Files, rng: Rng) -> Files | None:
    """A count that cannot be: below zero, above everything, or more agrees than votes."""
    counts = ("agrees", "disagrees", "n-votes", "n-agree", "n-disagree", "n-comments")

    def edit(rows: Rows) -> None:
        columns = [at for at, name in enumerate(rows[0]) if name in counts]
        if columns:
            rows[int(rng.integers(1, len(rows)))][int(rng.choice(columns))] = str(rng.choice([-3, 5_000, 10**9]))

    return _edit(files, rng, edit)


def missing_column(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        at = int(rng.integers(len(rows[0])))
        for row in rows:
            del row[at]

    return _edit(files, rng, edit)


def renamed_column(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        at = int(rng.integers(len(rows[0])))
        rows[0][at] = str(
            rng.choice(["x", "", "id", rows[0][at].upper() + "s", rows[0][int(rng.integers(len(rows[0])))]])
        )

    return _edit(files, rng, edit)


def missing_header(files: Files, rng: Rng) -> Files | None:
    return _edit(files, rng, lambda rows: rows.pop(0))


def shuffled(files: Files, rng: Rng) -> Files | None:
    """Rows and columns of every file in another order. Nothing may change but ties of time, of which there are none."""
    out = dict(files)
    for name in _csv_names(files):
        rows = _rows(files[name])
        order = rng.permutation(len(rows[0]))
        if name == "summary.csv" or _unquoted(files, name):
            continue
        body = [rows[1:][at] for at in rng.permutation(len(rows) - 1)]
        out[name] = as_csv([rows[0][at] for at in order], [[row[at] for at in order] for row in body])
    for name in ("votes.json", "comments.json"):
        if name in files:
            items = json.loads(files[name])
            out[name] = json.dumps([items[at] for at in rng.permutation(len(items))]).encode()
    return out


def repeated_rows(files: Files, rng: Rng) -> Files | None:
    """Rows twice, word for word."""

    def edit(rows: Rows) -> None:
        for at in rng.integers(1, len(rows), size=int(rng.integers(1, 5))):
            rows.insert(int(rng.integers(1, len(rows) + 1)), list(rows[at]))

    return _edit(files, rng, edit)


def repeated_row_changed(files: Files, rng: Rng) -> Files | None:
    """A row twice, with one cell changed."""

    def edit(rows: Rows) -> None:
        copy = list(rows[int(rng.integers(1, len(rows)))])
        copy[int(rng.integers(len(copy)))] = str(rng.choice(["0", "1", "-1", "2", "other"]))
        rows.append(copy)

    return _edit(files, rng, edit)


def missing_rows(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        for _ in range(int(rng.integers(1, 4))):
            if len(rows) > 1:
                del rows[int(rng.integers(1, len(rows)))]

    return _edit(files, rng, edit)


def swapped_sign(files: Files, rng: Rng) -> Files | None:
    """The votes of one file, or of all files, with the opposite sign; at times the counts with them."""
    names = [name for name in files if "votes." in name]
    chosen = names if rng.random() < 0.4 else [str(rng.choice(names))]
    out = dict(files)
    for name in chosen:
        out[name] = _turned(name, files[name])
    if rng.random() < 0.3:
        out = {name: _counts_swapped(name, data) for name, data in out.items()}
    return out


def swapped_counts(files: Files, rng: Rng) -> Files | None:
    """Agree and disagree counts in each other's place."""
    return {name: _counts_swapped(name, data) for name, data in files.items()}


def swapped_sign_of_one(files: Files, rng: Rng) -> Files | None:
    """One participant's votes turned round, in one file."""

    def edit(rows: Rows) -> None:
        columns = [at for at, name in enumerate(rows[0]) if name == "vote" or name.isdigit()]
        if not columns:
            return
        who = rows[int(rng.integers(1, len(rows)))]
        person = rows[0].index("voter-id") if "voter-id" in rows[0] else None
        for row in [who] if person is None else [row for row in rows[1:] if row[person] == who[person]]:
            for at in columns:
                row[at] = _minus(row[at])

    return _edit(files, rng, edit)


def truncated(files: Files, rng: Rng) -> Files | None:
    name = _any(files, rng)
    return {**files, name: files[name][: int(rng.integers(len(files[name])))]}


def cut_between_rows(files: Files, rng: Rng) -> Files | None:
    name = _any(files, rng)
    lines = files[name].splitlines(keepends=True)
    return {**files, name: b"".join(lines[: int(rng.integers(len(lines)))])}


def wrong_encoding(files: Files, rng: Rng) -> Files | None:
    """Another encoding, for one file or all."""
    encoding = str(
        rng.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "utf-8-sig", "shift-jis"])
    )
    chosen = list(files) if rng.random() < 0.5 else [_any(files, rng)]
    return {
        name: data.decode("utf-8").encode(encoding, "replace") if name in chosen else data
        for name, data in files.items()
    }


def read_as_latin(files: Files, rng: Rng) -> Files | None:
    """UTF-8 that was read as Latin-1 and saved as UTF-8."""
    return {name: data.decode("latin-1").encode("utf-8") for name, data in files.items()}


def nul_bytes(files: Files, rng: Rng) -> Files | None:
    return _insert(files, rng, b"\0" * int(rng.integers(1, 4)))


def broken_quotes(files: Files, rng: Rng) -> Files | None:
    return _insert(files, rng, b'"')


def stray_bytes(files: Files, rng: Rng) -> Files | None:
    """A few bytes overwritten by others."""
    name = _any(files, rng)
    data = bytearray(files[name])
    for at in rng.integers(len(data), size=int(rng.integers(1, 4))):
        data[at] = int(rng.integers(256))
    return {**files, name: bytes(data)}


def line_ends(files: Files, rng: Rng) -> Files | None:
    """Other line ends, blank lines, or none at the end."""
    end = [b"\r\n", b"\n\n", b"\r", b""][int(rng.integers(4))]
    return {name: data.rstrip(b"\n") if not end else data.replace(b"\n", end) for name, data in files.items()}


def other_delimiter(files: Files, rng: Rng) -> Files | None:
    name = _any(files, rng)
    return {**files, name: files[name].replace(b",", [b";", b"\t", b"|", b" "][int(rng.integers(4))])}


def missing_file(files: Files, rng: Rng) -> Files | None:
    gone = _any(files, rng)
    return {name: data for name, data in files.items() if name != gone}


def empty_file(files: Files, rng: Rng) -> Files | None:
    return {**files, _any(files, rng): [b"", b"\n", b"\xef\xbb\xbf", b"[]", b"{}", b"null"][int(rng.integers(6))]}


def swapped_files(files: Files, rng: Rng) -> Files | None:
    """Two files under each other's name."""
    one, other = rng.choice(list(files), size=2, replace=False)
    return {**files, str(one): files[str(other)], str(other): files[str(one)]}


def json_value(files: Files, rng: Rng) -> Files | None:
    """One value in one item becomes something else."""

    def edit(items: list[Any]) -> None:
        item = items[int(rng.integers(len(items)))]
        item[str(rng.choice(list(item)))] = WRONG[int(rng.integers(len(WRONG)))]

    return _edit_json(files, rng, edit)


def json_shape(files: Files, rng: Rng) -> Files | None:
    """Keys missing, items that are no objects, lists in lists, an object around it."""

    def edit(items: list[Any]) -> Any:
        at = int(rng.integers(len(items)))
        way = int(rng.integers(5))
        if way == 0:
            del items[at][str(rng.choice(list(items[at])))]
        elif way == 1:
            items[at] = WRONG[int(rng.integers(len(WRONG)))]
        elif way == 2:
            return {"data": items}
        elif way == 3:
            return [items]
        else:
            key = str(rng.choice(list(items[at])))
            for item in items:
                item.pop(key, None)
        return items

    return _edit_json(files, rng, edit)


def json_items(files: Files, rng: Rng) -> Files | None:
    """Items missing, or twice, word for word or with another value."""

    def edit(items: list[Any]) -> None:
        at, way = int(rng.integers(len(items))), int(rng.integers(3))
        if way == 0:
            del items[at]
        else:
            copy = dict(items[at])
            if way == 2:
                copy[str(rng.choice(list(copy)))] = WRONG[int(rng.integers(len(WRONG)))]
            items.append(copy)

    return _edit_json(files, rng, edit)


MUTATIONS: tuple[Mutation, ...] = (
    fuzzed_cell, fuzzed_cells, other_number, other_vote, huge_id, impossible_count, missing_column, renamed_column,
    missing_header, shuffled, repeated_rows, repeated_row_changed, missing_rows, swapped_sign, swapped_counts,
    swapped_sign_of_one, truncated, cut_between_rows, wrong_encoding, read_as_latin, nul_bytes, broken_quotes,
    stray_bytes, line_ends, other_delimiter, missing_file, empty_file, swapped_files, json_value, json_shape,
    json_items,
)  # fmt: skip


def _edit(files: Files, rng: Rng, edit: Callable[[Rows], object]) -> Files | None:
    """One CSV file edited as rows."""
    name = _pick(files, rng, _csv_names(files))
    if name is None or _unquoted(files, name):
        return None
    rows = _rows(files[name])
    edit(rows)
    return {**files, name: as_csv(rows[0], rows[1:]) if rows else b""}


def _edit_json(files: Files, rng: Rng, edit: Callable[[list[Any]], Any]) -> Files | None:
    name = _pick(files, rng, ("votes.json", "comments.json"))
    if name is None:
        return None
    items = json.loads(files[name])
    changed = edit(items)
    return {**files, name: json.dumps(items if changed is None else changed).encode()}


def _put(rows: Rows, rng: Rng, change: Callable[[str], str]) -> None:
    row = rows[int(rng.integers(len(rows)))]
    at = int(rng.integers(len(row)))
    row[at] = change(row[at])


def _insert(files: Files, rng: Rng, what: bytes) -> Files:
    name = _any(files, rng)
    at = int(rng.integers(len(files[name]) + 1))
    return {**files, name: files[name][:at] + what + files[name][at:]}


def _turned(name: str, data: bytes) -> bytes:
    if name.endswith(".json"):
        return json.dumps([{**item, "vote": -item["vote"]} for item in json.loads(data)]).encode()
    rows = _rows(data)
    for at, title in enumerate(rows[0]):
        if title == "vote" or title.isdigit():
            for row in rows[1:]:
                row[at] = _minus(row[at])
    return as_csv(rows[0], rows[1:])


def _counts_swapped(name: str, data: bytes) -> bytes:
    if name.endswith(".json"):
        for a, b in (("agree_count", "disagree_count"),):
            data = data.replace(a.encode(), b"\0").replace(b"dis\0", a.encode()).replace(b"\0", b.encode())
        return data
    first, _, rest = data.partition(b"\n")
    titles = first.split(b",")
    other = {b"agrees": b"disagrees", b"disagrees": b"agrees", b"n-agree": b"n-disagree", b"n-disagree": b"n-agree"}
    return b",".join(other.get(title, title) for title in titles) + b"\n" + rest


def _minus(cell: str) -> str:
    return {"1": "-1", "-1": "1"}.get(cell, cell)


def _rows(data: bytes) -> Rows:
    return list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))


def _unquoted(files: Files, name: str) -> bool:
    """Rows of different lengths: `csv` cannot take this file apart and put it together again."""
    return len({len(row) for row in _rows(files[name])}) > 1


def _csv_names(files: Files) -> tuple[str, ...]:
    return tuple(name for name in files if name.endswith(".csv"))


def _any(files: Files, rng: Rng) -> str:
    return str(rng.choice(sorted(files)))


def _pick(files: Files, rng: Rng, names: tuple[str, ...]) -> str | None:
    present = sorted(name for name in names if name in files)
    return str(rng.choice(present)) if present else None
