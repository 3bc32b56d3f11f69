"""Statements as text of unknown origin: what cannot be shown is replaced, and what looks wrong is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from solon.collective.conversation import Statement
from solon.collective.phrases import listed, many
from solon.collective.reading.findings import Findings

LONGEST = 1000
"""Characters: the column that Polis keeps statements in."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MOJIBAKE = re.compile("[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|\ufffd")
"""UTF-8 that was once read as Latin-1 or Windows-1252, and what was lost altogether."""


def clean(text: str) -> str:
    """Without control characters other than tab and line break, which terminals obey and JSON and CSV garble."""
    return _CONTROL.sub("\ufffd", _lines(text))


def _lines(text: str) -> str:
    """With the line breaks of Unix."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_texts(path: Path, statements: Sequence[Statement], findings: Findings) -> tuple[Statement, ...]:
    """The statements, cleaned, with findings about those that are odd."""
    cleaned = tuple(one.model_copy(update={"text": clean(one.text)}) for one in statements)
    empty = [one.id for one in cleaned if not one.text.strip()]
    control = [one.id for one in statements if _CONTROL.search(_lines(one.text))]
    garbled = [one.id for one in cleaned if one.id not in control and _MOJIBAKE.search(one.text)]
    long = [one.id for one in cleaned if len(one.text) > LONGEST]
    if empty:
        findings.warning(
            path, f"{many(len(empty), 'statement')} without text: {listed(empty)}", "kept, for their votes"
        )
    if control:
        what = f"control characters in {many(len(control), 'statement')}: {listed(control)}"
        findings.repair(path, what, "replaced by \ufffd")
    if garbled:
        what = f"{many(len(garbled), 'statement')} that look read in the wrong encoding: {listed(garbled)}"
        findings.warning(path, what, "kept as they are; export as UTF-8")
    if long:
        what = f"{many(len(long), 'statement')} longer than Polis allows ({LONGEST:,} characters): {listed(long)}"
        findings.warning(path, what, "kept whole")
    _say_repeated(path, cleaned, findings)
    return cleaned


def _say_repeated(path: Path, statements: Sequence[Statement], findings: Findings) -> None:
    first: dict[str, int] = {}
    again = []
    for one in statements:
        plain = " ".join(one.text.split()).casefold()
        if plain and first.setdefault(plain, one.id) != one.id:
            again.append(one.id)
    if again:
        findings.note(path, f"{many(len(again), 'statement')} word for word as an earlier one: {listed(again)}")
