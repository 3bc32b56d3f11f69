"""The CSV files of Clojure and server exports. Columns by name; the two layouts share their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solon.collective.phrases import many
from solon.collective.reading.bulk import read_columns
from solon.collective.reading.cells import refuse, times
from solon.collective.reading.comments_csv import read_comments
from solon.collective.reading.datetimes import check_datetimes
from solon.collective.reading.exported import (
    Export,
    ExportedParticipant,
    ExportedVotes,
    Layout,
)
from solon.collective.reading.findings import Findings
from solon.collective.reading.layout import Files, layout_of, say_renamed
from solon.collective.reading.matrix_csv import read_matrix
from solon.collective.reading.rows import say_unknown
from solon.collective.tables import as_integer, shown, stream_records, unguarded

STRICT = "strict-moderation"
"""A key of our own exports: `true` or `false`."""
SUMMARY_KEYS = frozenset(
    (
        "topic",
        "url",
        "views",
        "voters",
        "voters-in-conv",
        "commenters",
        "comments",
        "groups",
        "conversation-description",
        STRICT,
    )
)
VOTE_COLUMNS = frozenset(("timestamp", "datetime", "comment-id", "voter-id", "vote"))
EXPORT_MARK = "solon-export.txt"
"""A file that says that the export is ours, with apostrophes before text that looks like a formula."""


def read_csv_export(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    findings = Findings()
    say_renamed(files, findings)
    _say_missing(files, findings)
    in_seconds = False
    events = None
    if files.votes:
        events, in_seconds = read_votes(files.votes, findings)
    layout = layout_of(files, in_seconds=in_seconds)
    ours = (files.folder / EXPORT_MARK).is_file()
    summary = read_summary(files.about, findings, ours=ours) if files.about else {}
    statements, comments_in_seconds = read_comments(files.comments, layout, findings, ours=ours)
    if comments_in_seconds and layout is Layout.clojure and not files.votes:
        layout = Layout.server_csv
    participants: tuple[ExportedParticipant, ...] = ()
    columns: frozenset[int] = frozenset()
    matrix = None
    if files.matrix:
        participants, columns, matrix = read_matrix(files.matrix, findings, ours=ours)
    return Export(
        layout=layout,
        folder=files.folder,
        statements=statements,
        comments_path=files.comments,
        participants=participants,
        participants_path=files.matrix,
        columns=columns,
        events=events,
        matrix=matrix,
        findings=findings,
        topic=summary.get("topic", ""),
        description=summary.get("conversation-description", ""),
        stated={key: number for key, cell in summary.items() if (number := as_integer(cell)) is not None},
        strict_moderation={"true": True, "false": False}.get(summary.get(STRICT, "").strip().lower()),
    )


def _say_missing(files: Files, findings: Findings) -> None:
    """Files that an export usually has, and files that end in the middle of a line."""
    if files.votes is None:
        what = "no votes.csv: when votes were cast is not known, nor what a re-vote replaced"
        findings.warning(files.folder.resolve().name, what)
    if files.matrix is None:
        what = "no participants-votes.csv: votes.csv cannot be compared with it, and there are no exported groups"
        findings.warning(files.folder.resolve().name, what)
    if files.about is None:
        findings.warning(files.folder.resolve().name, "no summary.csv: the topic is not known")
    for path in (files.comments, files.votes, files.matrix, files.about):
        if path is not None and path.is_file() and not path.read_bytes().endswith((b"\n", b"\r")):
            findings.warning(path, "the last line has no end: the file may be cut off")


def read_votes(path: Path, findings: Findings) -> tuple[ExportedVotes, bool]:
    """Votes one by one, and whether the file has its times in seconds."""
    found = read_columns(
        path, ("voter-id", "comment-id"), ("vote", "timestamp"), optional=("timestamp",), words="datetime"
    )
    say_unknown(path, set(found.header) - VOTE_COLUMNS, findings)
    vote = found.numbers["vote"]
    lines = found.lines.tolist()
    bad = np.flatnonzero(np.abs(vote) > 1).tolist()
    refuse(path, [(lines[at], f"vote {vote[at]} is not 1, 0 or -1") for at in bad])
    time, in_seconds = None, False
    if "timestamp" in found.numbers:
        time, in_seconds = times(path, found.numbers["timestamp"], lines)
        if found.words is not None:
            check_datetimes(path, time, found.words, findings, in_seconds=in_seconds)
    else:
        findings.warning(path, "no column timestamp", "which of two votes is the later is not known")
    votes = ExportedVotes(
        path=path,
        participant=found.numbers["voter-id"],
        statement=found.numbers["comment-id"],
        vote=vote.astype(np.int8),
        time=time,
        line=found.lines,
    )
    return votes, in_seconds


def read_summary(path: Path, findings: Findings, *, ours: bool) -> dict[str, str]:
    """`summary.csv`: a key and a value per line, without a header."""
    values: dict[str, set[str]] = {}
    odd = 0
    for _, record in stream_records(path):
        if ours:
            record = [unguarded(cell) for cell in record]
        if len(record) == 2:
            values.setdefault(record[0], set()).add(record[1])
        else:
            odd += 1
    if odd:
        findings.warning(path, f"{many(odd, 'line')} without a key and a value", "ignored")
    if twofold := sorted(key for key, found in values.items() if len(found) > 1):
        quoted = ", ".join(shown(name, 30) for name in twofold[:5])
        findings.warning(path, f"{many(len(twofold), 'key')} with more than one value: {quoted}", "ignored")
    found = {key: next(iter(given)) for key, given in values.items() if len(given) == 1}
    if unknown := sorted(set(found) - SUMMARY_KEYS):
        quoted = ", ".join(shown(name, 30) for name in unknown[:5])
        findings.warning(path, f"{many(len(unknown), 'unknown key')}: {quoted}", "ignored")
    if absent := [name for name in ("topic", "conversation-description") if name not in found]:
        findings.warning(path, f"no {' and no '.join(absent)}", "left empty")
    return found
