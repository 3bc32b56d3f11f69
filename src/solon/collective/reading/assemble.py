"""An export as a conversation: one vote per cell, +1 agree, sorted by id, everything odd said."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import numpy as np

from solon.collective.conversation import DISAGREE, Conversation, Ints, Participant, Statement, ids_of
from solon.collective.phrases import many
from solon.collective.reading.counts import check_counts, check_importance, framed, straightened
from solon.collective.reading.exported import Cells, Export, ExportedVotes, Frame, among, check_size, distinct
from solon.collective.reading.findings import Import, Severity
from solon.collective.reading.latest import in_order, latest, matrix_sign, once_each, reconcile, say_latest
from solon.collective.reading.sign import decide, witnesses
from solon.errors import InputError, Where

LONGEST = 1000
"""Characters: the column that Polis keeps statements in."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_MOJIBAKE = re.compile("[\u00c2\u00c3][\u0080-\u00bf]|\u00e2\u20ac|\ufffd")
"""UTF-8 that was once read as Latin-1 or Windows-1252, and what was lost altogether."""


def assemble(export: Export, *, vote_sign: int | None = None, most_cells: int | None = None) -> Import:
    """The conversation of an export. `vote_sign`: the number that means agree in its files; None: find out.
    `most_cells`: people times statements, at most. Raises `InputError` if there are no statements, far too many people
    or statements, or the sign cannot be told.
    """
    if not export.statements:
        raise InputError("no statements", where=Where(export.comments_path), hint="export the conversation again")
    frame = _frame(export, most_cells)
    export, events, cells, important = _votes(framed(export, frame), frame, vote_sign)
    check_counts(export, events, cells)
    _say_strays(export)
    _say_early(export, events)
    seen_PS = frame.dense(cells.key, True, bool)
    important_PS = None if important is None else frame.dense(important, True, bool) & seen_PS
    if important_PS is not None:
        check_importance(export, events, important_PS.sum(axis=0), frame)
    _say_contents(export, cells, None if important_PS is None else int(important_PS.sum()))
    conversation = Conversation(
        statements=_statements(export, frame),
        participants=_participants(export, frame),
        votes_PS=frame.dense(cells.key, cells.vote, np.int8),
        seen_PS=seen_PS,
        important_PS=important_PS,
        log=None if events is None else events.log(),
        topic=_clean(export.about.topic),
        description=_clean(export.about.description),
        source=f"{export.layout} {export.folder.resolve().name}",
        strict_moderation=export.about.strict_moderation,
    )
    return Import(conversation=conversation.counted(), findings=tuple(export.findings.found))


def _frame(export: Export, most_cells: int | None) -> Frame:
    sources = [votes for votes in (export.events, export.matrix.votes) if votes is not None]
    people = [ids_of(export.matrix.participants), *(distinct(votes.participant) for votes in sources)]
    columns = np.array(sorted(export.matrix.statements), dtype=np.int64)
    statements = [export.statement_ids, columns, *(distinct(votes.statement) for votes in sources)]
    frame = Frame(
        participant_ids=np.unique(np.concatenate(people)), statement_ids=np.unique(np.concatenate(statements))
    )
    check_size(len(frame.participant_ids), len(frame.statement_ids), export.folder, most_cells)
    return frame


def _votes(
    export: Export, frame: Frame, vote_sign: int | None
) -> tuple[Export, ExportedVotes | None, Cells, Ints | None]:
    """The export with its counts in place, the events by time if there are any, the votes that count, and the cells
    in which the statement was marked as important (None: not said)."""
    if export.events is None:
        assert export.matrix.votes is not None, "an export has votes"
        cells = frame.cells(export.matrix.votes)
        sign = decide(export, export.matrix.votes, witnesses(export, export.matrix.votes, cells), vote_sign)
        cells = cells.times(sign)
        return straightened(export, cells), None, cells, None
    events = once_each(export.events, export.findings)
    found = latest(events)
    cells = frame.cells(found.votes)
    sign = decide(export, events, witnesses(export, events, cells), vote_sign)
    if sign == DISAGREE:
        # Of votes at one time the lowest is the last, so turning them round changes their order.
        events = in_order(replace(events, vote=-events.vote))
        found = latest(events)
        cells = frame.cells(found.votes)
    important = None if found.votes.important is None else cells.key[found.votes.important]
    matrix = None if export.matrix.votes is None else frame.cells(export.matrix.votes)
    told = np.zeros(len(cells.key), dtype=bool) if matrix is None else among(cells.key, matrix.key)
    say_latest(found, told=told, export=export)
    export = straightened(export, cells)
    if export.matrix.votes is None or matrix is None:
        return export, events, cells, important
    turned = matrix_sign(cells, matrix)
    if turned != sign:
        what = f"its votes have the opposite sign of {events.path.name}: {turned:+d} means agree here, {sign:+d} there"
        export.findings.repair(export.matrix.votes.path, what, "turned round")
    cells = reconcile(cells, matrix.times(turned), export, cells.key[found.open & told])
    return export, events, cells, important


def _statements(export: Export, frame: Frame) -> tuple[Statement, ...]:
    absent = np.setdiff1d(frame.statement_ids, export.statement_ids).tolist()
    what = "{} with votes or a column but without a row"
    done = "kept without text, as never moderated"
    export.findings.of_ids("warning", export.comments_path, "statement", absent, what, done)
    known = [*_checked_texts(export), *(Statement(id=number, text="") for number in absent)]
    return tuple(sorted(known, key=lambda one: one.id))


def _clean(text: str) -> str:
    """Without control characters other than tab and line break, which terminals obey and JSON and CSV garble."""
    return _CONTROL.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def _checked_texts(export: Export) -> list[Statement]:
    cleaned = [one.model_copy(update={"text": _clean(one.text)}) for one in export.statements]
    empty = [one.id for one in cleaned if not one.text.strip()]
    before = {one.id: one.text.count("\ufffd") for one in export.statements}
    control = [one.id for one in cleaned if one.text.count("\ufffd") > before[one.id]]
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
        export.findings.of_ids(severity, export.comments_path, "statement", ids, what, done)
    return cleaned


def _participants(export: Export, frame: Frame) -> tuple[Participant, ...]:
    by_id = {one.id: one for one in export.matrix.participants}
    if export.matrix.path:
        absent = [number for number in frame.participant_ids.tolist() if number not in by_id]
        done = "kept, with their votes and no group"
        export.findings.of_ids("warning", export.matrix.path, "voter", absent, "{} without a row", done)
    return tuple(by_id.get(number) or Participant(id=number) for number in frame.participant_ids.tolist())


def _say_strays(export: Export) -> None:
    """Statements without a column in the matrix. Polis leaves out those without votes."""
    if not export.matrix.statements or export.matrix.path is None:
        return
    absent = sorted({one.id for one in export.statements} - export.matrix.statements)
    what = f"no column for {{}} of {export.comments_path.name}"
    if export.events is None:
        export.findings.of_ids("warning", export.matrix.path, "statement", absent, what, "kept without votes")
        return
    voted = set(distinct(export.events.statement).tolist())
    asked, unasked = ([one for one in absent if (one in voted) is there] for there in (True, False))
    path = export.matrix.path
    export.findings.of_ids("warning", path, "statement", asked, what, "votes.csv has votes on them")
    export.findings.of_ids("note", path, "statement", unasked, what, "nobody voted on them")


def _say_early(export: Export, events: ExportedVotes | None) -> None:
    known = [one for one in export.statements if one.created is not None]
    if events is None or events.time is None or not known:
        return
    ids, times = ids_of(known), np.array([one.created for one in known], dtype=np.int64)
    at = np.minimum(np.searchsorted(ids, events.statement), len(ids) - 1)
    early = (ids[at] == events.statement) & (events.time < times[at])
    late = distinct(events.statement[early]).tolist()
    what = f"{many(int(early.sum()), 'vote')} earlier than the statement, on {{}}"
    export.findings.of_ids("warning", events.path, "statement", late, what, "both times kept")


def _say_contents(export: Export, cells: Cells, important: int | None) -> None:
    findings = export.findings
    moderated = Counter(one.moderated for one in export.statements)
    states = ((1, "accepted"), (-1, "rejected"), (0, "never moderated"))
    parts = [f"{moderated[state]:,} {name}" for state, name in states if moderated[state]]
    for flag, name in (("is_seed", "seeds"), ("is_meta", "about the conversation itself")):
        if count := sum(bool(getattr(one, flag)) for one in export.statements):
            parts.append(f"{count:,} {name}")
    findings.note(export.comments_path, f"{many(len(export.statements), 'statement')}: {', '.join(parts)}")
    if export.about.strict_moderation is False:
        what = "moderation was not strict: people voted on statements that no moderator had decided on, and they count"
        findings.note(export.folder.resolve().name, what)
    kinds = Counter(cells.vote.tolist())
    voters = many(len(cells.frame.participant_ids), "participant")
    what = f"{many(len(cells.key), 'vote')} of {voters}: {kinds[1]:,} agree, {kinds[-1]:,} disagree, {kinds[0]:,} pass"
    findings.note(export.folder.resolve().name, what)
    marked = export.statement_counts.get("importance-votes")
    if important is None and marked is not None and (total := int(marked[marked > 0].sum())):
        what = f"importance-votes: {total:,} in all, as counted there; no file says who marked a statement as important"
        findings.note(export.comments_path, what)
    if important is not None:
        what = f"{many(important, 'vote')} that mark{'s' if important == 1 else ''} the statement as important"
        findings.note(export.folder.resolve().name, what)
    sizes = Counter(one.exported_group for one in export.matrix.participants)
    if named := sorted(name for name in sizes if name is not None):
        told = ", ".join(f"{name}: {sizes[name]:,}" for name in named)
        none = len(cells.frame.participant_ids) - sum(sizes[name] for name in named)
        where = export.matrix.path or export.folder.resolve().name
        findings.note(where, f"exported groups {told}; {none:,} in none")
