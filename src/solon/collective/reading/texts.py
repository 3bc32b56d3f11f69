"""Statements as text of unknown origin: what cannot be shown is replaced, and what looks wrong is said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from solon.collective.conversation import Statement
from solon.collective.reading.findings import Findings, Severity

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
    first: dict[str, int] = {}
    plain = [(one.id, " ".join(one.text.split()).casefold()) for one in cleaned]
    again = [number for number, text in plain if text and first.setdefault(text, number) != number]
    odd: tuple[tuple[Severity, list[int], str, str], ...] = (
        ("warning", empty, "{} without text", "kept, for their votes"),
        ("repair", control, "control characters in {}", "replaced by \ufffd"),
        ("warning", garbled, "{} that look read in the wrong encoding", "kept as they are; export as UTF-8"),
        ("warning", long, f"{{}} longer than Polis allows ({LONGEST:,} characters)", "kept whole"),
        ("note", again, "{} word for word as an earlier one", ""),
    )
    for severity, ids, what, done in odd:
        findings.of_ids(severity, path, "statement", ids, what, done)
    return cleaned
