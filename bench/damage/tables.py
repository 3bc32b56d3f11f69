"""Damage to cells, rows, columns and signs."""

from __future__ import annotations

import json

import numpy as np

from damage.editing import (
    Rng,
    Rows,
    counts_swapped,
    csv_names,
    edit_csv,
    minus,
    pick,
    put,
    rows_of,
    turned,
    unquoted,
)
from damage.exports import Files, as_csv

NASTY = (
    "", " ", "NaN", "nan", "null", "None", "-", "--1", "1.5", "1e3", "1e309", "-5", "7", "2", "-2", "+1", "１", "1_0",
    "0x1", "99999999999", "999999999999999999999999", "-9223372036854775809", "true", "TRUE", "yes", "foo", "=1+1",
    "@x", "'1", "1,1", '"', "\n", "\t1", " 1 ", "💥", "\u202eabc", "é", "\x07", "inf", "[]", "{}", "1970-01-01",
    "2147483648",
)  # fmt: skip


def fuzzed_cell(files: Files, rng: Rng) -> Files | None:
    """One cell of one CSV file becomes something that does not belong there."""
    return edit_csv(files, rng, lambda rows: put(rows, rng, lambda _: str(rng.choice(np.array(NASTY, dtype=object)))))


def fuzzed_cells(files: Files, rng: Rng) -> Files | None:
    """A twentieth of the cells of one file."""

    def edit(rows: Rows) -> None:
        for _ in range(1 + len(rows) * len(rows[0]) // 20):
            put(rows, rng, lambda _: str(rng.choice(np.array(NASTY, dtype=object))))

    return edit_csv(files, rng, edit)


def other_number(files: Files, rng: Rng) -> Files | None:
    """One number becomes another that could stand there."""

    def other(cell: str) -> str:
        if not cell.lstrip("-").isdigit():
            return cell
        step = int(rng.choice([-60_000, -2, -1, 1, 2, 3_600_000] if len(cell) > 8 else [-2, -1, 1, 2]))
        return str(int(cell) + step)

    return edit_csv(files, rng, lambda rows: put(rows, rng, other))


def other_vote(files: Files, rng: Rng) -> Files | None:
    """One vote in one place becomes another vote, or appears, or goes."""
    name = pick(files, rng, ("votes.csv", "participants-votes.csv", "participant-votes.csv", "votes.json"))
    if name is None:
        return None
    if name.endswith(".json"):
        items = json.loads(files[name])
        one = items[rng.integers(len(items))]
        one["vote"] = int(rng.choice([vote for vote in (-1, 0, 1) if vote != one["vote"]]))
        return {**files, name: json.dumps(items).encode()}
    rows = rows_of(files[name])
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

    return edit_csv(files, rng, edit)


def impossible_count(files: Files, rng: Rng) -> Files | None:
    """A count that cannot be: below zero, above everything, or more agrees than votes."""
    counts = ("agrees", "disagrees", "n-votes", "n-agree", "n-disagree", "n-comments")

    def edit(rows: Rows) -> None:
        columns = [at for at, name in enumerate(rows[0]) if name in counts]
        if columns:
            rows[int(rng.integers(1, len(rows)))][int(rng.choice(columns))] = str(rng.choice([-3, 5_000, 10**9]))

    return edit_csv(files, rng, edit)


def missing_column(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        at = int(rng.integers(len(rows[0])))
        for row in rows:
            del row[at]

    return edit_csv(files, rng, edit)


def renamed_column(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        at = int(rng.integers(len(rows[0])))
        rows[0][at] = str(
            rng.choice(["x", "", "id", rows[0][at].upper() + "s", rows[0][int(rng.integers(len(rows[0])))]])
        )

    return edit_csv(files, rng, edit)


def missing_header(files: Files, rng: Rng) -> Files | None:
    return edit_csv(files, rng, lambda rows: rows.pop(0))


def shuffled(files: Files, rng: Rng) -> Files | None:
    """Rows and columns of every file in another order. Nothing may change but ties of time, of which there are none."""
    out = dict(files)
    for name in csv_names(files):
        rows = rows_of(files[name])
        order = rng.permutation(len(rows[0]))
        if name == "summary.csv" or unquoted(files, name):
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

    return edit_csv(files, rng, edit)


def repeated_row_changed(files: Files, rng: Rng) -> Files | None:
    """A row twice, with one cell changed."""

    def edit(rows: Rows) -> None:
        copy = list(rows[int(rng.integers(1, len(rows)))])
        copy[int(rng.integers(len(copy)))] = str(rng.choice(["0", "1", "-1", "2", "other"]))
        rows.append(copy)

    return edit_csv(files, rng, edit)


def missing_rows(files: Files, rng: Rng) -> Files | None:
    def edit(rows: Rows) -> None:
        for _ in range(int(rng.integers(1, 4))):
            if len(rows) > 1:
                del rows[int(rng.integers(1, len(rows)))]

    return edit_csv(files, rng, edit)


def swapped_sign(files: Files, rng: Rng) -> Files | None:
    """The votes of one file, or of all files, with the opposite sign; at times the counts with them."""
    names = [name for name in files if "votes." in name]
    chosen = names if rng.random() < 0.4 else [str(rng.choice(names))]
    out = dict(files)
    for name in chosen:
        out[name] = turned(name, files[name])
    if rng.random() < 0.3:
        out = {name: counts_swapped(name, data) for name, data in out.items()}
    return out


def swapped_counts(files: Files, rng: Rng) -> Files | None:
    """Agree and disagree counts in each other's place."""
    return {name: counts_swapped(name, data) for name, data in files.items()}


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
                row[at] = minus(row[at])

    return edit_csv(files, rng, edit)


def tied_votes(files: Files, rng: Rng) -> Files | None:
    """Votes again, at the same time, with another vote; at times the file has no times at all."""
    if "votes.csv" not in files:
        return None
    rows = rows_of(files["votes.csv"])
    at = rows[0].index("vote")
    for row in rng.choice(len(rows) - 1, size=3, replace=False).tolist():
        copy = list(rows[1 + row])
        copy[at] = str(rng.choice([vote for vote in ("-1", "0", "1") if vote != copy[at]]))
        rows.insert(int(rng.integers(1, len(rows) + 1)), copy)
    if rng.random() < 0.3:
        kept = [column for column, name in enumerate(rows[0]) if name not in ("timestamp", "datetime")]
        rows = [[row[column] for column in kept] for row in rows]
    return {**files, "votes.csv": as_csv(rows[0], rows[1:])}
