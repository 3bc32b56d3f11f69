"""An export as a conversation: one vote per cell, +1 agree, sorted by id, everything odd said."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from solon.collective.conversation import Conversation, Participant, Statement, VoteLog
from solon.collective.phrases import listed, many
from solon.collective.reading.counts import check_counts
from solon.collective.reading.exported import Export, ExportedVotes, check_size
from solon.collective.reading.findings import Imported
from solon.collective.reading.index import Cells, Frame
from solon.collective.reading.latest import in_order, latest, once_each, say_latest
from solon.collective.reading.reconcile import matrix_sign, reconcile
from solon.collective.reading.sign import decide, witnesses
from solon.collective.reading.swapped import straightened
from solon.collective.reading.texts import check_texts, clean
from solon.errors import InputError, Where


def assemble(export: Export, *, vote_sign: int | None = None) -> Imported:
    """The conversation of an export. `vote_sign`: the number that means agree in its files; None: find out.

    Raises:
        InputError: if there are no statements, far too many people or statements, or the sign cannot be told.
    """
    if not export.statements:
        raise InputError("no statements", where=Where(export.comments_path), hint="export the conversation again")
    frame = _frame(export)
    export, events, cells = _votes(export, frame, vote_sign)
    check_counts(export, events, cells)
    _say_strays(export)
    _say_early(export, events)
    _say_contents(export, cells)
    shape = (len(frame.participant_ids), len(frame.statement_ids))
    votes_PS = np.zeros(shape, dtype=np.int8)
    seen_PS = np.zeros(shape, dtype=bool)
    votes_PS.ravel()[cells.key], seen_PS.ravel()[cells.key] = cells.vote, True
    conversation = Conversation(
        statements=_statements(export, frame),
        participants=_participants(export, frame),
        votes_PS=votes_PS,
        seen_PS=seen_PS,
        log=_log(events),
        topic=clean(export.topic),
        description=clean(export.description),
        source=f"{export.layout} {export.folder.resolve().name}",
        strict_moderation=export.strict_moderation,
    )
    return Imported(conversation=conversation, findings=tuple(export.findings.found))


def _frame(export: Export) -> Frame:
    sources = [votes for votes in (export.events, export.matrix) if votes is not None]
    people = np.unique(
        np.concatenate(
            [np.array([one.participant.id for one in export.participants], dtype=np.int64)]
            + [votes.participant for votes in sources]
        )
    )
    statements = np.unique(
        np.concatenate(
            [np.array([one.statement.id for one in export.statements] + list(export.columns), dtype=np.int64)]
            + [votes.statement for votes in sources]
        )
    )
    check_size(len(people), len(statements), export.folder)
    return Frame(participant_ids=people, statement_ids=statements)


def _votes(export: Export, frame: Frame, vote_sign: int | None) -> tuple[Export, ExportedVotes | None, Cells]:
    """The export with its counts in place, the events by time if there are any, and the votes that count."""
    if export.events is None:
        assert export.matrix is not None, "an export has votes"
        cells = frame.cells(export.matrix)
        sign = decide(export, export.matrix, witnesses(export, export.matrix, cells), vote_sign)
        cells = cells.times(sign)
        return straightened(export, cells), None, cells
    events = once_each(export.events, export.findings)
    sign = decide(export, events, witnesses(export, events, frame.cells(latest(events).votes)), vote_sign)
    # Of votes at one time the lowest is the last, so turning them round changes their order.
    events = in_order(replace(events, vote=(events.vote * sign).astype(np.int8)))
    found = latest(events)
    cells = frame.cells(found.votes)
    matrix = None if export.matrix is None else frame.cells(export.matrix)
    keys = frame.keys(found.votes)
    told = np.zeros(len(keys), dtype=bool) if matrix is None else np.isin(keys, matrix.key)
    names = (events.path.name, "" if export.matrix is None else export.matrix.path.name)
    say_latest(found, told=told, names=names, findings=export.findings)
    export = straightened(export, cells)
    if export.matrix is None or matrix is None:
        return export, events, cells
    turned = matrix_sign(cells, matrix)
    if turned != sign:
        what = f"its votes have the opposite sign of {events.path.name}: {turned:+d} means agree here, {sign:+d} there"
        export.findings.repair(export.matrix.path, what, "turned round")
    opened = keys[found.open & told]
    cells = reconcile(cells, matrix.times(turned), export.participants, opened, names, export.findings)
    return export, events, cells


def _statements(export: Export, frame: Frame) -> tuple[Statement, ...]:
    by_id = {one.statement.id: one.statement for one in export.statements}
    absent = [number for number in frame.statement_ids.tolist() if number not in by_id]
    if absent:
        what = f"{many(len(absent), 'statement')} with votes or a column but without a row: {listed(absent)}"
        done = "kept without text, as never moderated"
        export.findings.warning(export.comments_path, what, done)
    known = check_texts(export.comments_path, [by_id[number] for number in sorted(by_id)], export.findings)
    return tuple(sorted([*known, *(Statement(id=number, text="") for number in absent)], key=lambda one: one.id))


def _participants(export: Export, frame: Frame) -> tuple[Participant, ...]:
    by_id = {one.participant.id: one.participant for one in export.participants}
    absent = [number for number in frame.participant_ids.tolist() if number not in by_id]
    if absent and export.participants_path:
        what = f"{many(len(absent), 'voter')} without a row: {listed(absent)}"
        export.findings.warning(export.participants_path, what, "kept, with their votes and no group")
    return tuple(by_id.get(number) or Participant(id=number) for number in frame.participant_ids.tolist())


def _log(events: ExportedVotes | None) -> VoteLog | None:
    if events is None or events.time is None:
        return None
    return VoteLog(participant=events.participant, statement=events.statement, vote=events.vote, time=events.time)


def _say_strays(export: Export) -> None:
    """Statements without a column in the matrix. Polis leaves out those without votes."""
    if not export.columns or export.participants_path is None:
        return
    voted = set() if export.events is None else set(np.unique(export.events.statement).tolist())
    absent = [one.statement.id for one in export.statements if one.statement.id not in export.columns]
    if absent:
        what = f"no column for {many(len(absent), 'statement')} of {export.comments_path.name}: {listed(absent)}"
        lost = sum(number in voted for number in absent)
        if export.events is None:
            export.findings.warning(export.participants_path, what, "kept without votes")
        elif lost:
            export.findings.warning(export.participants_path, f"{what}; {lost} of them have votes in votes.csv")
        else:
            export.findings.note(export.participants_path, f"{what}; nobody voted on them")


def _say_early(export: Export, events: ExportedVotes | None) -> None:
    """Votes on statements that were not there yet."""
    created = {
        one.statement.id: one.statement.created for one in export.statements if one.statement.created is not None
    }
    if events is None or events.time is None or not created:
        return
    ids = np.array(sorted(created), dtype=np.int64)
    times = np.array([created[number] for number in ids.tolist()], dtype=np.int64)
    at = np.minimum(np.searchsorted(ids, events.statement), len(ids) - 1)
    early = (ids[at] == events.statement) & (events.time < times[at])
    if early.any():
        late = np.unique(events.statement[early]).tolist()
        what = f"{many(int(early.sum()), 'vote')} earlier than the statement: statement {listed(late)}"
        export.findings.warning(events.path, what, "both times kept")


def _say_contents(export: Export, cells: Cells) -> None:
    findings = export.findings
    moderated = Counter(one.statement.moderated for one in export.statements)
    states = ((1, "accepted"), (-1, "rejected"), (0, "never moderated"))
    parts = [f"{moderated[state]:,} {name}" for state, name in states if moderated[state]]
    for flag, name in (("is_seed", "seeds"), ("is_meta", "about the conversation itself")):
        if count := sum(bool(getattr(one.statement, flag)) for one in export.statements):
            parts.append(f"{count:,} {name}")
    findings.note(export.comments_path, f"{many(len(export.statements), 'statement')}: {', '.join(parts)}")
    if export.strict_moderation is False:
        what = "moderation was not strict: people voted on statements that no moderator had decided on, and they count"
        findings.note(export.folder.resolve().name, what)
    kinds = Counter(cells.vote.tolist())
    voters = many(len(cells.frame.participant_ids), "participant")
    what = f"{many(len(cells.key), 'vote')} of {voters}: {kinds[1]:,} agree, {kinds[-1]:,} disagree, {kinds[0]:,} pass"
    findings.note(export.folder.resolve().name, what)
    sizes = Counter(one.participant.exported_group for one in export.participants)
    if named := sorted(name for name in sizes if name is not None):
        told = ", ".join(f"{name}: {sizes[name]:,}" for name in named)
        findings.note(export.participants_path or "", f"exported groups {told}; {sizes[None]:,} in none")
