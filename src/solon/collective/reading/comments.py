"""The statements of an export, and what it says of the votes on each."""

from __future__ import annotations

from pathlib import Path

from solon.collective.conversation import Ints, Statement
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.datetimes import check_datetimes
from solon.collective.reading.exported import Layout, check_size
from solon.collective.reading.findings import Findings
from solon.collective.reading.names import COMMENTS
from solon.collective.reading.sources import read_source
from solon.collective.reading.unquoted import read_unquoted

COUNTS = ("agrees", "disagrees", "passes", "importance-votes")


def read_comments(
    path: Path, layout: Layout, findings: Findings, *, ours: bool
) -> tuple[tuple[Statement, ...], dict[str, Ints], bool]:
    """Statements by id, the counts that the file has, and whether its times are in seconds."""
    source = read_unquoted(path, findings) if layout is Layout.server_csv else None
    found = read_columns(source or read_source(path, ours=ours), COMMENTS, findings, key="comment-id")
    check_size(0, len(found), path)
    check_datetimes(found, findings)
    in_seconds = found.in_seconds
    found = found.once("comment-id", findings)
    counts = {name: found.counts(name) for name in COUNTS if name in found}
    return _statements(found), counts, in_seconds


def _statements(found: Columns) -> tuple[Statement, ...]:
    names = ("comment-id", "comment-body", "author-id", "moderated", "is-seed", "is-meta", "timestamp")
    return tuple(
        Statement(
            id=number,
            text=text or "",
            author=author,
            moderated=moderated or 0,
            is_seed=None if seed is None else bool(seed),
            is_meta=bool(meta),
            created=created,
        )
        for number, text, author, moderated, seed, meta, created in zip(*map(found.get, names), strict=True)
    )
