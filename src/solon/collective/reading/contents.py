"""What the files of an export hold: statements, votes one by one, the matrix of both, and what it says as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import Ints, Participant, Statement
from solon.collective.csv_text import Faults, as_integer, read_records, read_text, separator_of, shown, unguard
from solon.collective.phrases import many
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.counts import check_datetimes
from solon.collective.reading.exported import MAX_ID, About, ExportedVotes, Layout, Matrix, check_size
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import NONE, UNKNOWN, matrix_votes
from solon.collective.reading.names import COMMENTS, PEOPLE, PERSON_FIELDS, STATEMENT_FIELDS, VOTES, Column
from solon.collective.reading.sources import Source, json_object, read_source, read_unquoted, unusual
from solon.collective.tables import first_names, refuse_repeated
from solon.errors import InputError, Where

STATEMENT_COUNTS = ("agrees", "disagrees", "passes", "importance-votes")
PEOPLE_COUNTS = ("n-comments", "n-votes", "n-agree", "n-disagree")
STRICT = "strict-moderation"
"""A key of our own exports: `true` or `false`."""
TOTALS = {"voters", "voters-in-conv", "commenters", "comments", "groups"}
SUMMARY_KEYS = {"topic", "conversation-description", "url", "views", STRICT} | TOTALS
_TRUTH = {"true": True, "false": False, "": None}


def read_comments(
    path: Path, layout: Layout, findings: Findings, *, ours: bool
) -> tuple[tuple[Statement, ...], dict[str, Ints], bool]:
    """Statements by id, the counts that the file has, and whether its times are in seconds."""
    source = read_unquoted(path, findings) if layout is Layout.server_csv else None
    found = read_columns(source or read_source(path, ours=ours), COMMENTS, findings, key="comment-id")
    check_size(0, len(found), path)
    check_datetimes(found, findings)
    once = found.once("comment-id", findings)
    return statements_of(once), once.counts(STATEMENT_COUNTS), found.in_seconds


def statements_of(found: Columns) -> tuple[Statement, ...]:
    """A statement for each row."""
    return tuple(Statement.model_validate({"text": "", **row}) for row in found.rows(STATEMENT_FIELDS))


def read_votes(path: Path, findings: Findings) -> tuple[ExportedVotes, tuple[Participant, ...], bool]:
    """Votes in file order, the people whose external ids are told with them, and whether times are in seconds."""
    found = read_columns(read_source(path), VOTES, findings)
    check_datetimes(found, findings)
    return votes_of(found), _external(found, findings), found.in_seconds


def votes_of(found: Columns) -> ExportedVotes:
    """A vote for each row. Of two the later counts, so that either all have a time or none: `InputError` otherwise."""
    time, important = found.known("timestamp"), found.known("important")
    if time is not None:
        faults = Faults(found.path, found.unit)
        for line in found.lines[time == UNKNOWN].tolist():
            faults.add(line, f"{found.named['timestamp']} is empty")
        faults.raise_any(len(found))
    return ExportedVotes(
        path=found.path,
        participant=found["voter-id"],
        statement=found["comment-id"],
        vote=found["vote"].astype(np.int8),
        time=time,
        line=found.lines,
        important=None if important is None else important == 1,
    )


def _external(found: Columns, findings: Findings) -> tuple[Participant, ...]:
    """Those whose votes bear an external id. Who has several is not told by any of them."""
    names: dict[int, set[str]] = {}
    for person, xid in zip(found.get("voter-id"), found.get("xid"), strict=True) if "xid" in found else ():
        if xid:
            names.setdefault(person, set()).add(xid)
    _say_external(found.path, len(names), findings)
    several = [person for person, told in names.items() if len(told) > 1]
    what = "{} with more than one external id"
    findings.of_ids("warning", found.path, "participant", several, what, "none of them is kept")
    return tuple(Participant(id=person, xid=min(told)) for person, told in sorted(names.items()) if len(told) == 1)


def _say_external(path: Path, count: int, findings: Findings) -> None:
    if count:
        kept = "kept for the organiser alone, to join what else is known of people; in no export"
        findings.note(path, f"external ids (xid) of {many(count, 'participant')}: {kept}")


def read_matrix(path: Path, findings: Findings, *, ours: bool, source: Source | None = None) -> Matrix:
    """The file as it is, or as `source` has it; `InputError` for what cannot be read."""
    source = source or read_source(path, ours=ours)
    numbers = _statement_ids(path, source.header)
    check_size(0, len(numbers), path)
    votes = [Column(names=(name,), kind=matrix_votes) for name in numbers]
    found = read_columns(source, [*PEOPLE, *votes], findings, key="participant")
    check_size(len(found), 0, path)
    found = found.once("participant", findings)
    people = participants_of(found)
    _say_external(path, sum(one.xid is not None for one in people), findings)
    return Matrix(
        path=path,
        participants=people,
        counts=found.counts(PEOPLE_COUNTS),
        statements=frozenset(numbers.values()),
        votes=_matrix_votes(found, numbers),
    )


def participants_of(found: Columns) -> tuple[Participant, ...]:
    """A participant for each row. Group 0 by another program's `0.0`, in a column with gaps, is 0."""
    people = []
    for row in found.rows(PERSON_FIELDS):
        group, xid = row.get("exported_group", "").strip(), row.get("xid", "").strip()
        number = as_integer(group)
        named = group if number is None else str(number)
        people.append(Participant(id=row["id"], exported_group=named or None, xid=xid or None))
    return tuple(people)


def _statement_ids(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Statements by the name of their column; `InputError` if two columns are one statement's."""
    found = {name: number for name in header if (number := as_integer(name)) is not None}
    hint = "name each column of votes by the id of its statement"
    for name, number in found.items():
        if not 0 <= number <= MAX_ID:
            what = f"statement {name} is no id: ids run from 0 to {MAX_ID:,}"
            raise InputError(what, where=Where(path, 1), hint=hint)
    refuse_repeated(path, list(map(str, found.values())))
    return found


def _matrix_votes(found: Columns, statements: dict[str, int]) -> ExportedVotes:
    votes_SP = np.array([found[name] for name in statements], dtype=np.int8).reshape(len(statements), len(found))
    columns, rows = np.nonzero(votes_SP != NONE)
    return ExportedVotes(
        path=found.path,
        participant=found["participant"][rows],
        statement=np.array(list(statements.values()), dtype=np.int64)[columns],
        vote=votes_SP[columns, rows],
        time=None,
        line=found.lines[rows],
    )


def read_about(path: Path, findings: Findings, *, ours: bool) -> About:
    """What the file says; whatever cannot be used is told and left empty."""
    if path.suffix == ".json":
        said, description, key = json_object(path), "description", "strict_moderation"
    else:
        said, description, key = _summary(path, findings, ours=ours), "conversation-description", STRICT
    if absent := [name for name in ("topic", description) if said.get(name) is None]:
        findings.warning(path, f"no {' and no '.join(absent)}", "left empty")
    for name in ("topic", description):
        if not isinstance(said.get(name), str | None):
            findings.warning(path, f"{name} is no text", "left empty")
    strict = said.get(key)
    if isinstance(strict, str):
        strict = _TRUTH.get(strict.strip().lower(), strict)
    if not isinstance(strict, bool | None):
        findings.warning(path, f"{key} is neither true nor false: {shown(str(strict))}", "ignored")
    totals = {name: as_integer(cell) for name, cell in said.items() if name in TOTALS and isinstance(cell, str)}
    return About(
        topic=text if isinstance(text := said.get("topic"), str) else "",
        description=text if isinstance(text := said.get(description), str) else "",
        strict_moderation=strict if isinstance(strict, bool) else None,
        totals={name: total for name, total in totals.items() if total is not None},
    )


def _summary(path: Path, findings: Findings, *, ours: bool) -> dict[str, object]:
    """A key and a value per line, without a header."""
    text = read_text(path)
    separator = separator_of(text)
    for what in unusual(separator):
        findings.repair(path, what, "read so")
    values: dict[str, set[str]] = {}
    odd = 0
    for _, record in read_records(path, text, separator):
        cells = [unguard(cell) if ours else cell for cell in record]
        if any(cells[2:]) or len(cells) < 2:
            odd += 1
        else:
            values.setdefault(cells[0], set()).add(cells[1])
    if odd:
        findings.warning(path, f"{many(odd, 'line')} without a key and a value", "ignored")
    if twofold := sorted(key for key, found in values.items() if len(found) > 1):
        what = f"{many(len(twofold), 'key')} with more than one value: {first_names(twofold, 5)}"
        findings.warning(path, what, "ignored")
    found = {key: next(iter(given)) for key, given in values.items() if len(given) == 1}
    if unknown := sorted(set(found) - SUMMARY_KEYS):
        findings.warning(path, f"{many(len(unknown), 'unknown key')}: {first_names(unknown, 5)}", "ignored")
    return {**found}
