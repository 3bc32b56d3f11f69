"""The table of statements as a CSV file that lies inside the page."""

from __future__ import annotations

import base64
import re
from codecs import BOM_UTF8
from collections.abc import Sequence

from solon.collective.tables import csv_bytes
from solon.report.public.tally import StatementVotes, Tally


def statements_csv(statements: Sequence[StatementVotes], letters: Sequence[str]) -> bytes:
    """One row per statement whose text may be shown. Withheld numbers are empty; no cell is a formula."""
    parts = ["votes", "agrees", "passes", "disagrees", "agree-low", "agree-high"]
    header = ["comment-id", "statement", *parts]
    for letter in letters:
        header += [f"group-{letter.lower()}-{part}" for part in parts]
    header += ["group-aware-consensus", "in-every-group", "polarisation"]
    rows = []
    for one in statements:
        row: list[object] = [one.id, one.statement.text, *_cells(one.everyone)]
        for tally in one.groups:
            row += _cells(tally)
        rows.append([*row, *([one.consensus, one.in_each, one.polarisation] if one.open else [None] * 3)])
    return csv_bytes(header, rows)


def data_link(data: bytes) -> str:
    """A link that holds the file. A byte order mark tells spreadsheets that it is UTF-8."""
    return f"data:text/csv;charset=utf-8;base64,{base64.b64encode(BOM_UTF8 + data).decode()}"


def file_name(title: str) -> str:
    """Example: "Protecting NZ’s Biodiversity" is "protecting-nz-s-biodiversity-statements.csv"."""
    plain = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:60].strip("-")
    return f"{plain}-statements.csv" if plain else "statements.csv"


def _cells(tally: Tally) -> list[object]:
    if not tally.shown:
        return [None] * 6
    agree = tally.agree
    return [tally.n, tally.agrees, tally.passes, tally.disagrees, round(agree.low, 4), round(agree.high, 4)]
