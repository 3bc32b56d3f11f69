"""All files of an export as they are, in whatever layout."""

from __future__ import annotations

from solon.collective.conversation import Participant
from solon.collective.reading.about import check_mathematics, read_about
from solon.collective.reading.comments import read_comments
from solon.collective.reading.exported import Export, ExportedVotes, Layout
from solon.collective.reading.findings import Findings
from solon.collective.reading.layout import Files, layout_of, say_renamed
from solon.collective.reading.matrix import read_matrix
from solon.collective.reading.votes import read_votes

EXPORT_MARK = "solon-export.txt"
"""A file that says that the export is ours, with apostrophes before text that looks like a formula."""


def read_export(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    findings = Findings()
    say_renamed(files, findings)
    _say_missing(files, findings)
    ours = (files.folder / EXPORT_MARK).is_file()
    events: ExportedVotes | None = None
    participants: tuple[Participant, ...] = ()
    in_seconds = False
    if files.votes:
        events, participants, in_seconds = read_votes(files.votes, findings)
    layout = layout_of(files, in_seconds=in_seconds)
    about = read_about(files.about, findings, ours=ours) if files.about else {}
    statements, statement_counts, comments_in_seconds = read_comments(files.comments, layout, findings, ours=ours)
    if comments_in_seconds and layout is Layout.clojure and not files.votes:
        layout = Layout.server_csv
    matrix = read_matrix(files.matrix, findings, ours=ours) if files.matrix else None
    if files.mathematics and events is not None:
        check_mathematics(files.mathematics, events, findings)
    topic, description, strict = (about.get(name) for name in ("topic", "description", "strict_moderation"))
    return Export(
        layout=layout,
        folder=files.folder,
        statements=statements,
        statement_counts=statement_counts,
        comments_path=files.comments,
        participants=matrix.participants if matrix else participants,
        participant_counts=matrix.counts if matrix else {},
        participants_path=files.matrix,
        columns=matrix.statements if matrix else frozenset(),
        events=events,
        matrix=matrix.votes if matrix else None,
        findings=findings,
        topic=str(topic or ""),
        description=str(description or ""),
        stated={name: total for name, total in about.items() if type(total) is int},
        strict_moderation=strict if isinstance(strict, bool) else None,
    )


def _say_missing(files: Files, findings: Findings) -> None:
    """Files that an export usually has, and files that end in the middle of a line."""
    folder = files.folder.resolve().name
    if files.is_json:
        if files.about is None:
            findings.warning(folder, "no conversation.json: the topic is not known")
        return
    if files.votes is None:
        findings.warning(folder, "no votes.csv: when votes were cast is not known, nor what a re-vote replaced")
    if files.matrix is None:
        what = "no participants-votes.csv: votes.csv cannot be compared with it, and there are no exported groups"
        findings.warning(folder, what)
    if files.about is None:
        findings.warning(folder, "no summary.csv: the topic is not known")
    for path in (files.comments, files.votes, files.matrix, files.about):
        if path is not None and path.is_file() and not path.read_bytes().endswith((b"\n", b"\r")):
            findings.warning(path, "the last line has no end: the file may be cut off")
