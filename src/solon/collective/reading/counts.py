"""What an export states of its own numbers, against the votes that are imported. Counts are framed as the votes are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, PASS, Ints, ids_of
from solon.collective.phrases import many
from solon.collective.reading.exported import Cells, Export, ExportedVotes, Frame, Layout
from solon.collective.reading.sign import fitting

RECOUNTED = "the votes count, not the column"
OF_PEOPLE = (("n-votes", None), ("n-agree", AGREE), ("n-disagree", DISAGREE))
"""Counts of the latest votes of each participant."""
OF_STATEMENTS = (("agrees", AGREE), ("disagrees", DISAGREE), ("passes", PASS))


def framed(export: Export, frame: Frame) -> Export:
    """The export with its counts in the order of the frame, -1 where it states none."""

    def spread(counts: dict[str, Ints], ids: Ints, known: Ints) -> dict[str, Ints]:
        found = {name: np.full(len(known), -1) for name in counts}
        for name, column in counts.items():
            found[name][np.searchsorted(known, ids)] = column
        return found

    return replace(
        export,
        statement_counts=spread(export.statement_counts, export.statement_ids, frame.statement_ids),
        matrix=replace(
            export.matrix,
            counts=spread(export.matrix.counts, ids_of(export.matrix.participants), frame.participant_ids),
        ),
    )


def straightened(export: Export, cells: Cells) -> Export:
    """The export with counts back in their places that stand in each other's, and a finding for each such file.

    Up to 2025 the server counts `vote = 1` as agree in its CSV export, although -1 is what it stores for agree. Which
    files of which version do so is not known, so the votes are asked: cells are those that count, +1 agree. Other
    layouts have their counts right; what does not fit there is a fault.
    """
    if export.layout is not Layout.server_csv:
        return export
    said, people = dict(export.statement_counts), dict(export.matrix.counts)
    for path, told, count, (one, other) in (
        (export.comments_path, said, cells.per_statement, ("agrees", "disagrees")),
        (export.matrix.path, people, cells.per_participant, ("n-agree", "n-disagree")),
    ):
        found = fitting("", told.get(one), told.get(other), count)
        if path is not None and found.minus > found.plus:
            told[one], told[other] = told[other], told[one]
            fits = f"{found.minus:,} rows fit so alone, {found.plus:,} as named"
            what = f"{one} and {other} stand in each other's place ({fits})"
            export.findings.repair(path, what, "read the other way round")
    return replace(export, statement_counts=said, matrix=replace(export.matrix, counts=people))


def check_counts(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Findings about every count that does not fit. export: framed; events and cells: +1 agrees."""
    _check_participants(export, cells)
    _check_statements(export, events, cells)
    _check_totals(export, cells)


def _check_participants(export: Export, cells: Cells) -> None:
    """The counts of votes, and n-comments, the number of statements that each wrote."""
    path, said, people = export.matrix.path, export.matrix.counts, cells.frame.participant_ids
    wrote = Counter(one.author for one in export.statements if one.author is not None)
    counted = {name: (cells.per_participant(kind), RECOUNTED) for name, kind in OF_PEOPLE}
    if wrote:
        counted["n-comments"] = np.array([wrote[number] for number in people.tolist()]), "author-id counts"
    for name in (name for name in counted if name in said):
        count, done = counted[name]
        wrong = people[(said[name] >= 0) & (said[name] != count)].tolist()
        export.findings.of_ids("warning", path or "", "participant", wrong, f"{name} does not fit for {{}}", done)
    if "n-votes" in said:
        kinds = sum((np.maximum(said[name], 0) for name in ("n-agree", "n-disagree") if name in said), np.int64(0))
        too_many = (said["n-votes"] >= 0) & (kinds > said["n-votes"])
        impossible = too_many | (said["n-votes"] > len(cells.frame.statement_ids))
        what = "impossible counts of {} (n-agree + n-disagree above n-votes, or n-votes above the number of statements)"
        export.findings.of_ids("warning", path or "", "participant", people[impossible].tolist(), what, RECOUNTED)
    if export.matrix.participants:
        absent = sorted(set(wrote) - set(people.tolist()))
        export.findings.of_ids("note", export.comments_path, "author", absent, "{} who took part in no other way")


def _check_statements(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Clojure counts events, so that re-votes count twice; the server counts latest votes. Either may be meant."""
    path, ids = export.comments_path, cells.frame.statement_ids
    for name, kind in OF_STATEMENTS:
        told = export.statement_counts.get(name)
        if told is None or (told < 0).all():
            continue
        latest = cells.per_statement(kind)
        if events is not None:
            every = Cells(frame=cells.frame, key=cells.frame.keys(events), vote=events.vote)
            _say_wrong(export, name, ids, latest, every.per_statement(kind))
            continue
        # Every latest vote is an event, so there can be fewer of them, never more.
        more, fewer = (told > latest) & (told >= 0), (told < latest) & (told >= 0)
        if more.any():
            surplus = int((told - latest)[more].sum())
            what = f"{name} is above the latest votes for {many(int(more.sum()), 'statement')}, by {surplus:,} in all"
            export.findings.note(path, f"{what}; re-votes count twice there")
        what = f"{name} is below the votes in the matrix for {{}}"
        export.findings.of_ids("warning", path, "statement", ids[fewer].tolist(), what, RECOUNTED)


def check_importance(export: Export, events: ExportedVotes | None, important_S: Ints, frame: Frame) -> None:
    """importance-votes, against the votes that mark a statement. important_S: of those that count."""
    if "importance-votes" in export.statement_counts and events is not None and events.important is not None:
        events = events.take(events.important)
        marked_S = Cells(frame=frame, key=frame.keys(events), vote=events.vote).per_statement()
        _say_wrong(export, "importance-votes", frame.statement_ids, important_S, marked_S)


def _say_wrong(export: Export, name: str, ids: Ints, *counted: Ints) -> None:
    """A finding where a count fits none of two ways to count. The way that fits more often is meant."""
    told = export.statement_counts[name]
    fits = max(((told == count) | (told < 0) for count in counted), key=np.sum)
    what = f"{name} differs from the votes for {{}}"
    export.findings.of_ids("warning", export.comments_path, "statement", ids[~fits].tolist(), what, RECOUNTED)


def _check_totals(export: Export, cells: Cells) -> None:
    authors = {one.author for one in export.statements if one.author is not None}
    groups = {one.exported_group for one in export.matrix.participants} - {None}
    checks = {
        "voters": {len(cells.frame.participant_ids), int((cells.per_participant() > 0).sum())},
        "comments": {len(export.statements), len(export.matrix.statements), int((cells.per_statement() > 0).sum())},
        "commenters": {len(authors)} if authors else set(),
        "groups": {len(groups)} if groups else set(),
    }
    for name, possible in checks.items():
        if name in export.stated and possible and export.stated[name] not in possible:
            what = f"{name} is {export.stated[name]:,}, but there are {max(possible):,}"
            export.findings.warning("summary.csv", what, "the other files count")
