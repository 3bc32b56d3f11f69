"""What the columns of exports are called. Another program's names are read by another entry here.

The first name is the one that Solon uses; the others are what Polis's server and red-dwarf call the same thing.
Underscores count as hyphens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from solon.collective.reading.exported import MAX_ID
from solon.collective.reading.kinds import Kind, ids, moments, texts, truths, votes, within, words
from solon.collective.tables import ColumnsToWrite
from solon.records import Record

COUNT = within(0, MAX_ID, "is an impossible count")
"""Counts are made from the votes: an impossible one is no fault."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a file."""

    names: tuple[str, ...]
    kind: Kind
    required: bool = False
    without: str = ""
    """What follows where it is missing; empty: nothing that has to be said."""
    hint: str = "export the file again, or mend the line"
    """What to do about cells that are no such thing."""

    @property
    def name(self) -> str:
        return self.names[0]

    def among(self, header: Sequence[str]) -> str | None:
        """The name that the file has for it."""
        if self.name in header:
            return self.name
        found = {plain(name): name for name in reversed(header)}
        return next((found[name] for name in self.names if name in found), None)

    def twins(self, header: Sequence[str], at: int) -> list[int]:
        """Other columns of a file that name the same id as the one at `at`; only what is required must not differ."""
        same = [other for other, name in enumerate(header) if other != at and plain(name) in self.names]
        return same if self.required and self.kind is ids else []


def plain(name: str) -> str:
    """A name with hyphens, in small letters."""
    return name.lower().replace("_", "-")


def _column(*names: str, kind: Kind, **more: Any) -> Column:
    return Column(names=names, kind=kind, **more)


_STATEMENT = _column("comment-id", "tid", "statement-id", kind=ids, required=True)
_CONVERSATION = _column("conversation-id", kind=texts)
_DATETIME = _column("datetime", kind=words)
_XID = _column("xid", kind=texts)
STATEMENT_FIELDS = {
    "comment-id": "id",
    "author-id": "author",
    "moderated": "moderated",
    "is-seed": "is_seed",
    "is-meta": "is_meta",
    "timestamp": "created",
    "comment-body": "text",
    "importance-votes": "importance_votes",
}
"""Columns, and what they are called in memory."""
PERSON_FIELDS = {"participant": "id", "group-id": "exported_group", "xid": "xid"}
SOMETIMES = ("importance-votes", "xid")
"""Columns that are written where there is something in them."""
STATES = "1: accepted, -1: rejected, 0: never moderated"
COMMENTS = (
    _STATEMENT,
    _column("comment-body", "txt", "text", kind=texts, required=True),
    _column("timestamp", "created", kind=moments, without="statements have no time"),
    _DATETIME,
    _column("author-id", "pid", "participant-id", kind=ids, without="no statement has an author"),
    _column("agrees", "agree-count", kind=COUNT, without="agrees cannot be checked"),
    _column("disagrees", "disagree-count", kind=COUNT, without="disagrees cannot be checked"),
    _column("passes", "pass-count", kind=COUNT),
    _column("importance-votes", kind=COUNT),
    _column("moderated", "mod", kind=votes, without="every statement counts as never moderated", hint=STATES),
    _column("is-meta", kind=truths, without="no statement counts as about the conversation itself"),
    _column("is-seed", kind=truths, without="which statements are the organisers' own is not known"),
    _CONVERSATION,
)
VOTES = (
    _column("voter-id", "pid", "participant-id", "participant", kind=ids, required=True),
    _STATEMENT,
    _column("vote", kind=votes, required=True),
    _column("timestamp", "modified", "created", kind=moments, without="which of two votes is the later is not known"),
    _DATETIME,
    _column("important", "high-priority", kind=truths),
    _XID,
    _CONVERSATION,
)
PEOPLE = (
    _column("participant", "participant-id", "voter-id", "pid", kind=ids, required=True),
    _column("group-id", "exported-group", kind=texts, without="no groups"),
    *(
        _column(name, kind=COUNT, without="its numbers cannot be checked")
        for name in ("n-comments", "n-votes", "n-agree", "n-disagree")
    ),
    _XID,
)
NOT_READ = re.compile(
    r"importance|group-informed-consensus|group-.+-consensus|tweet-id|quote-src-url|lang|velocity|active|count"
    r"|weight-x-32767"
)
"""Columns that exports have and that tell nothing which is used."""


def columns_of(records: Sequence[Record], fields: dict[str, str]) -> ColumnsToWrite:
    """The columns that hold some records."""
    cells = {name: [getattr(one, field) for one in records] for name, field in fields.items()}
    return {name: None if name in SOMETIMES and set(cells[name]) <= {None} else cells[name] for name in cells}
