"""What the server's API answers, kept as files: `comments.json`, `votes.json`, `conversation.json`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import Participant, Statement
from solon.collective.phrases import listed, many
from solon.collective.reading.exported import (
    MAX_COUNT,
    MAX_ID,
    MAX_TIME,
    MIN_TIME,
    XID_KEPT,
    Export,
    ExportedParticipant,
    ExportedStatement,
    ExportedVotes,
    Layout,
    check_size,
)
from solon.collective.reading.findings import Findings
from solon.collective.reading.json_items import Faults, Item, json_items, json_object, kind_of, whole
from solon.collective.reading.layout import Files, say_renamed
from solon.collective.tables import as_integer, shown
from solon.errors import Where

COUNTS = ("agree_count", "disagree_count", "pass_count")
USUAL = {
    "mod": "taken as never moderated",
    "pid": "author unknown",
    "created": "time unknown",
    "is_seed": "taken as not said",
    "is_meta": "taken as not about the conversation itself",
}
"""What a statement usually has, and what it means if it does not."""


def read_server_json(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    assert files.votes is not None, "the layout has votes"
    findings = Findings()
    say_renamed(files, findings)
    about = json_object(files.about) if files.about else {}
    if files.about is None:
        findings.warning(files.folder.resolve().name, "no conversation.json: the topic is not known")
    elif absent := [name for name in ("topic", "description") if about.get(name) is None]:
        findings.warning(files.about, f"no {' and no '.join(absent)}", "left empty")
    statements = _statements(files.comments, findings)
    events = _events(files.votes, findings)
    topic, description = (about.get(name) for name in ("topic", "description"))
    for name in ("topic", "description"):
        if not isinstance(about.get(name, ""), str | None):
            assert files.about is not None
            findings.warning(files.about, f"{name} is no text", "left empty")
    strict = about.get("strict_moderation")
    if strict is not None and not isinstance(strict, bool):
        assert files.about is not None
        findings.warning(files.about, f"strict_moderation is neither true nor false: {shown(str(strict))}", "ignored")
    if files.mathematics:
        _check_mathematics(files.mathematics, events, findings)
    return Export(
        layout=Layout.server_json,
        folder=files.folder,
        statements=statements,
        comments_path=files.comments,
        participants=_participants(files.votes, findings),
        participants_path=None,
        columns=frozenset(),
        events=events,
        matrix=None,
        findings=findings,
        topic=topic if isinstance(topic, str) else "",
        description=description if isinstance(description, str) else "",
        stated={},
        strict_moderation=strict if isinstance(strict, bool) else None,
    )


def _statements(path: Path, findings: Findings) -> tuple[ExportedStatement, ...]:
    items = json_items(path)
    _say_about_items(path, items, findings)
    check_size(0, len(items), path)
    faults = Faults(path)
    first: dict[int, int] = {}
    made, repeated = [], []
    for number, item in enumerate(items):
        statement = _statement(item, number, faults)
        if statement is None:
            continue
        before = first.setdefault(statement.id, number)
        if before == number:
            agrees, disagrees, passes = (_count(item, name) for name in COUNTS)
            made.append(
                ExportedStatement(
                    statement=statement, where=Where(path), agrees=agrees, disagrees=disagrees, passes=passes
                )
            )
        elif items[before] == item:
            repeated.append(statement.id)
        else:
            faults.add(number, f"tid {statement.id} again, with other values than in item {before}")
    faults.raise_any()
    if repeated:
        findings.repair(path, f"{many(len(repeated), 'item')} twice over: tid {listed(repeated)}", "each counted once")
    _say_impossible(path, items, findings)
    for name, consequence in USUAL.items():
        if lacking := sum(item.get(name) is None for item in items):
            findings.warning(path, f"no {name} in {lacking:,} of {many(len(items), 'item')}", consequence)
    return tuple(made)


def _statement(item: Item, number: int, faults: Faults) -> Statement | None:
    before = len(faults.found)
    tid = whole(item, "tid", number, faults, 0, MAX_ID)
    text = item.get("txt")
    if not isinstance(text, str):
        faults.add(number, f"txt is no text but {kind_of(text)}")
    pid = whole(item, "pid", number, faults, 0, MAX_ID, optional=True)
    mod = whole(item, "mod", number, faults, -1, 1, optional=True)
    created = whole(item, "created", number, faults, MIN_TIME, MAX_TIME, optional=True)
    flags: dict[str, bool | None] = {}
    for name in ("is_seed", "is_meta"):
        value = item.get(name)
        if value is not None and not isinstance(value, bool):
            faults.add(number, f"{name} is neither true nor false: {shown(str(value))}")
            value = None
        flags[name] = value
    if len(faults.found) > before or tid is None or not isinstance(text, str):
        return None
    return Statement(
        id=tid,
        text=text,
        author=pid,
        moderated=mod or 0,
        is_seed=flags["is_seed"],
        is_meta=bool(flags["is_meta"]),
        created=created,
    )


def _events(path: Path, findings: Findings) -> ExportedVotes:
    items = json_items(path)
    _say_about_items(path, items, findings)
    faults = Faults(path)
    timed = any("modified" in item or "created" in item for item in items)
    columns: list[tuple[int, int, int, int]] = []
    for number, item in enumerate(items):
        time_name = "modified" if "modified" in item else "created"
        values = (
            whole(item, "pid", number, faults, 0, MAX_ID),
            whole(item, "tid", number, faults, 0, MAX_ID),
            whole(item, "vote", number, faults, -1, 1),
            whole(item, time_name, number, faults, MIN_TIME, MAX_TIME) if timed else 0,
        )
        columns.append(tuple(value or 0 for value in values))  # type: ignore[arg-type]
    faults.raise_any()
    if not timed:
        findings.warning(path, "votes without times", "which of two votes is the later is not known")
    table = np.array(columns, dtype=np.int64).reshape(len(columns), 4)
    return ExportedVotes(
        path=path,
        participant=table[:, 0],
        statement=table[:, 1],
        vote=table[:, 2].astype(np.int8),
        time=table[:, 3] if timed else None,
        line=np.arange(len(columns)),
    )


def _participants(path: Path, findings: Findings) -> tuple[ExportedParticipant, ...]:
    """Those whose votes bear an external id. Who has several is not told by any of them."""
    found: dict[int, set[str]] = {}
    for item in json_items(path):
        pid = as_integer(str(item.get("pid")))
        if item.get("xid") and pid is not None:
            found.setdefault(pid, set()).add(str(item["xid"]))
    if not found:
        return ()
    findings.note(path, f"external ids (xid) of {many(len(found), 'participant')}: {XID_KEPT}")
    if several := sorted(pid for pid, names in found.items() if len(names) > 1):
        what = f"{many(len(several), 'participant')} with more than one external id: pid {listed(several)}"
        findings.warning(path, what, "none of them is kept")
    return tuple(
        ExportedParticipant(participant=Participant(id=pid, xid=next(iter(names))), where=Where(path))
        for pid, names in found.items()
        if len(names) == 1
    )


def _count(item: Item, name: str) -> int | None:
    value = item.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT else None


def _say_impossible(path: Path, items: Sequence[Item], findings: Findings) -> None:
    for name in COUNTS:
        bad = [item for item in items if item.get(name) is not None and _count(item, name) is None]
        if bad:
            wrong = ", ".join(sorted({shown(str(item[name]), 30) for item in bad})[:5])
            tids = [number for item in bad if (number := as_integer(str(item.get("tid")))) is not None]
            what = f"{name} is an impossible count in {many(len(bad), 'item')} ({wrong}): tid {listed(tids)}"
            findings.warning(path, what, "ignored; counts are made from the votes")


def _say_about_items(path: Path, items: Sequence[Item], findings: Findings) -> None:
    """All items belong to one conversation, as far as they say, and hold nothing that identifies people elsewhere."""
    named = {str(item["conversation_id"]) for item in items if "conversation_id" in item}
    if len(named) > 1:
        quoted = ", ".join(shown(name, 20) for name in sorted(named)[:5])
        findings.warning(path, f"items of {len(named)} conversations: {quoted}", "taken as one")


def _check_mathematics(path: Path, events: ExportedVotes, findings: Findings) -> None:
    """The stored mathematics count the votes of each participant: a second copy of who voted."""
    counts = json_object(path).get("user-vote-counts")
    if not isinstance(counts, dict):
        findings.note(path, "no user-vote-counts, and so nothing to compare the voters with")
        return
    pairs = np.unique(np.stack([events.participant, events.statement]), axis=1)
    people, votes = np.unique(pairs[0], return_counts=True)
    have = {str(person): int(count) for person, count in zip(people, votes, strict=True)}
    wrong = [name for name in have.keys() | counts.keys() if have.get(name, 0) != counts.get(name, 0)]
    if wrong:
        ids = [number for name in wrong if (number := as_integer(str(name))) is not None]
        what = f"user-vote-counts does not fit for {many(len(wrong), 'participant')}: {listed(ids)}"
        findings.warning(path, what, "the votes count; the mathematics may be older")
