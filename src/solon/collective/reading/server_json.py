"""What the server's API answers, kept as files: `comments.json`, `votes.json`, `conversation.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import Statement
from solon.collective.reading.exported import (
    MAX_ID,
    MAX_TIME,
    MIN_TIME,
    Export,
    ExportedStatement,
    ExportedVotes,
    Layout,
    check_size,
)
from solon.collective.reading.findings import Findings, listed, many
from solon.collective.reading.layout import Files
from solon.collective.tables import MAX_FAULTS, as_integer, read_text, shown
from solon.errors import Fault, InputError, Where

Item = Mapping[str, object]
USUAL = {
    "mod": "taken as never moderated",
    "pid": "author unknown",
    "created": "time unknown",
    "is_seed": "taken as not said",
    "is_meta": "taken as not about the conversation itself",
}
"""What a statement usually has, and what it means if it does not."""


class _Faults:
    """Faults of one file, by item."""

    def __init__(self, path: Path):
        self.path = path
        self.found: list[Fault] = []

    def add(self, number: int, what: str) -> None:
        self.found.append(Fault(f"item {number}: {what}", Where(self.path), "fetch the file again, or mend the item"))

    def raise_any(self) -> None:
        if not self.found:
            return
        more = len(self.found) - MAX_FAULTS
        last = [Fault(f"and {more:,} more items like that", Where(self.path))] if more > 0 else []
        raise InputError([*self.found[:MAX_FAULTS], *last])


def read_server_json(files: Files) -> Export:
    """Everything the files say; `InputError` for what cannot be read."""
    assert files.votes is not None, "the layout has votes"
    findings = Findings()
    about = _load(files.about, dict) if files.about else {}
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
    _one_conversation(files, findings)
    if files.mathematics:
        _check_mathematics(files.mathematics, events, findings)
    return Export(
        layout=Layout.server_json,
        folder=files.folder,
        statements=statements,
        comments_path=files.comments,
        participants=(),
        participants_path=None,
        columns=frozenset(),
        events=events,
        matrix=None,
        findings=findings,
        topic=topic if isinstance(topic, str) else "",
        description=description if isinstance(description, str) else "",
        stated={},
    )


def _load(path: Path, kind: type) -> dict[str, object]:
    return found if isinstance(found := _parsed(path, kind), dict) else {}


def _parsed(path: Path, kind: type) -> object:
    try:
        found = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        what = f"broken JSON: {error.msg}"
        raise InputError(what, where=Where(path, error.lineno), hint="the file is cut off or damaged") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"broken JSON: {error}", where=Where(path), hint="fetch the file again") from None
    if not isinstance(found, kind):
        wanted = "a list of objects" if kind is list else "an object"
        raise InputError(f"not {wanted} but {_kind(found)}", where=Where(path, 1), hint="fetch the file again")
    return found


def _items(path: Path) -> list[Item]:
    found = _parsed(path, list)
    assert isinstance(found, list)
    faults = _Faults(path)
    for number, item in enumerate(found):
        if not isinstance(item, dict):
            faults.add(number, f"not an object but {_kind(item)}")
    faults.raise_any()
    return found


def _statements(path: Path, findings: Findings) -> tuple[ExportedStatement, ...]:
    items = _items(path)
    check_size(0, len(items), path)
    faults = _Faults(path)
    first: dict[int, int] = {}
    made, repeated = [], []
    for number, item in enumerate(items):
        statement = _statement(item, number, faults)
        if statement is None:
            continue
        before = first.setdefault(statement.id, number)
        if before == number:
            counts = [
                _count(path, item, number, name, findings) for name in ("agree_count", "disagree_count", "pass_count")
            ]
            made.append(
                ExportedStatement(
                    statement=statement, where=Where(path), agrees=counts[0], disagrees=counts[1], passes=counts[2]
                )
            )
        elif items[before] == item:
            repeated.append(statement.id)
        else:
            faults.add(number, f"tid {statement.id} again, with other values than in item {before}")
    faults.raise_any()
    if repeated:
        findings.repair(path, f"{many(len(repeated), 'item')} twice over: tid {listed(repeated)}", "each counted once")
    for name, consequence in USUAL.items():
        if lacking := sum(item.get(name) is None for item in items):
            findings.warning(path, f"no {name} in {lacking:,} of {many(len(items), 'item')}", consequence)
    return tuple(made)


def _statement(item: Item, number: int, faults: _Faults) -> Statement | None:
    before = len(faults.found)
    tid = _integer(item, "tid", number, faults, 0, MAX_ID)
    text = item.get("txt")
    if not isinstance(text, str):
        faults.add(number, f"txt is no text but {_kind(text)}")
    pid = _integer(item, "pid", number, faults, 0, MAX_ID, optional=True)
    mod = _integer(item, "mod", number, faults, -1, 1, optional=True)
    created = _integer(item, "created", number, faults, MIN_TIME, MAX_TIME, optional=True)
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
    items = _items(path)
    faults = _Faults(path)
    timed = any("modified" in item or "created" in item for item in items)
    columns: list[tuple[int, int, int, int]] = []
    for number, item in enumerate(items):
        time_name = "modified" if "modified" in item else "created"
        values = (
            _integer(item, "pid", number, faults, 0, MAX_ID),
            _integer(item, "tid", number, faults, 0, MAX_ID),
            _integer(item, "vote", number, faults, -1, 1),
            _integer(item, time_name, number, faults, MIN_TIME, MAX_TIME) if timed else 0,
        )
        columns.append(tuple(value or 0 for value in values))  # type: ignore[arg-type]
    faults.raise_any()
    if not timed:
        findings.warning(path, "votes without times", "the file's order counts as the order of time")
    table = np.array(columns, dtype=np.int64).reshape(len(columns), 4)
    return ExportedVotes(
        path=path,
        participant=table[:, 0],
        statement=table[:, 1],
        vote=table[:, 2].astype(np.int8),
        time=table[:, 3] if timed else None,
        line=np.arange(len(columns)),
    )


def _integer(
    item: Item, name: str, number: int, faults: _Faults, least: int, most: int, *, optional: bool = False
) -> int | None:
    """A whole number, which some fields have as text; None, and a fault unless it may be absent, if there is none."""
    value = item.get(name)
    if value is None and optional:
        return None
    found = value if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(value, str):
        found = as_integer(value)
    if found is None:
        faults.add(number, f"{name} is no whole number but {_kind(value)}")
        return None
    if not least <= found <= most:
        faults.add(number, f"{name} {shown(str(found), 30)} is not within {least} and {most}")
        return None
    return found


def _count(path: Path, item: Item, number: int, name: str, findings: Findings) -> int | None:
    value = item.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        what = f"item {number}: {name} is an impossible count: {shown(str(value), 30)}"
        findings.warning(path, what, "ignored; counts are made from the votes")
        return None
    return value


def _one_conversation(files: Files, findings: Findings) -> None:
    """All items belong to one conversation, as far as they say."""
    named: set[str] = set()
    for path in (files.comments, files.votes):
        assert path is not None
        named |= {str(item["conversation_id"]) for item in _items(path) if "conversation_id" in item}
    if len(named) > 1:
        quoted: Sequence[str] = [shown(name, 20) for name in sorted(named)[:5]]
        findings.warning(files.comments, f"items of {len(named)} conversations: {', '.join(quoted)}", "taken as one")


def _check_mathematics(path: Path, events: ExportedVotes, findings: Findings) -> None:
    """The stored mathematics count the votes of each participant: a second copy of who voted."""
    counts = _load(path, dict).get("user-vote-counts")
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


def _kind(value: object) -> str:
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", bool: "a truth", str: "text", int: "a number", float: "a number"}
    return f"{names.get(type(value), 'something else')} ({shown(str(value), 30)})"
