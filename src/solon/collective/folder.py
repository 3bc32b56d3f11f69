"""The folder that `solon collect import` writes, and how any command opens a conversation.

imported.json      what was imported from where, in which sign, and the sha256 of the other files
statements.csv     comment-id, author-id, moderated, is-seed, is-meta, timestamp, text
participants.csv   participant, exported-group
latest.csv         participant, comment-id, vote: the vote that counts, +1 agree
events.csv         timestamp, participant, comment-id, vote: every vote in order of time, if the export had times
findings.csv       severity, where, what, repair
"""

from __future__ import annotations

from pathlib import Path

from solon.collective.reading.assemble import assemble
from solon.collective.reading.csv_export import read_csv_export
from solon.collective.reading.findings import Finding, Imported
from solon.collective.reading.layout import find_files
from solon.collective.reading.server_json import read_server_json

__all__ = ["Finding", "Imported", "open_conversation"]


def open_conversation(path: Path, *, vote_sign: int | None = None) -> Imported:
    """The conversation in a folder: a raw export in any layout, or what `solon collect import` wrote.

    `vote_sign`: the number (+1 or -1) that means agree in a raw export; None: found from its own evidence.

    Raises:
        InputError: naming file and line, for what cannot be read or cannot be told.
    """
    files = find_files(path)
    export = read_server_json(files) if files.is_json else read_csv_export(files)
    return assemble(export, vote_sign=vote_sign)
