"""What an export says twice: counts, against the votes that are imported; times in numbers and in words.

Counts are framed as the votes are. Servers write words in another order:

1726860583813   Fri Sep 20 14:29:43 CDT 2024      19:29:43 UTC is 14:29:43 five hours further west
1726860583813   Fri Sep 20 2024 19:29:43 GMT+0000 (...)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, DISAGREE, PASS, Bools, Ints, ids_of
from solon.collective.phrases import listed, many
from solon.collective.reading.columns import Columns
from solon.collective.reading.exported import Cells, Export, ExportedVotes, Frame, Layout, distinct
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import UNKNOWN
from solon.collective.reading.sign import fitting

RECOUNTED = "the votes count, not the column"
OF_PEOPLE = (("n-votes", None), ("n-agree", AGREE), ("n-disagree", DISAGREE))
"""Counts of the latest votes of each participant."""
OF_STATEMENTS = (("agrees", AGREE), ("disagrees", DISAGREE), ("passes", PASS))
_FORM = b"aaa aaa 00 00:00:00 aaa 0000"
"""`Fri Sep 20 14:29:43 CDT 2024`: 0 is any digit, a any character."""
_OF_SERVERS = [*range(11), *range(16, 25), *range(28, 31), 15, *range(11, 15)]
"""Where the same stands in `Fri Sep 20 2024 19:29:43 GMT+0000`; its zone is three characters of the hours from UTC."""
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_QUARTER = 900
"""Seconds; every zone is whole quarters of an hour away from UTC."""


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
        said = export.about.totals.get(name)
        if said is not None and possible and said not in possible:
            what = f"{name} is {said:,}, but there are {max(possible):,}"
            export.findings.warning("summary.csv", what, "the other files count")


def check_datetimes(found: Columns, findings: Findings) -> None:
    """A warning where the two differ; a note where the words are of a form that is not known.

    The zone is taken from the rows themselves: all rows that name one zone must be equally far from UTC.
    """
    if "timestamp" not in found or "datetime" not in found:
        return
    both = (found["timestamp"] != UNKNOWN) & (found["datetime"] != b"")
    time, written = found["timestamp"][both], found["datetime"][both]
    if not len(time):
        return
    known, seconds, zones = _seconds_of(written)
    if not known.any():
        findings.note(found.path, "datetime is of a form that is not known, and was not compared with timestamp")
        return
    apart = seconds - time // 1000
    wrong = ~known
    for zone in distinct(zones[known]):
        rows = known & (zones == zone)
        offsets, counts = np.unique(apart[rows], return_counts=True)
        offset = offsets[np.argmax(counts)]
        wrong |= rows & ((apart != offset) if offset % _QUARTER == 0 else True)
    if wrong.any():
        # Named as they stand in the file; its lines would change with the order of its rows.
        stated = (time[wrong] // (1000 if found.in_seconds else 1)).tolist()
        what = f"timestamp and datetime differ in {many(len(stated), 'row')}: timestamp {listed(stated)}"
        findings.warning(found.path, what, "timestamp counts")


def _seconds_of(written: NDArray[np.bytes_]) -> tuple[Bools, Ints, Ints]:
    """Which rows have the known form, their seconds since 1970 as if in UTC, and a number for their zone's name."""
    cells = np.ascontiguousarray(written).view(np.uint8).reshape(len(written), -1)
    ours = (cells[:, 25:28] == np.frombuffer(b"GMT", dtype=np.uint8)).all(axis=1)
    cells = np.pad(cells, ((0, 0), (0, 1)))
    cells[ours, : len(_FORM)], cells[ours, len(_FORM)] = cells[ours][:, _OF_SERVERS], 0
    months = np.ascontiguousarray(cells[:, 4:7]).view("S3").ravel()
    month = sum((months == name) * number for number, name in enumerate(_MONTHS, start=1))

    def number(at: int, width: int = 2) -> Ints:
        return (cells[:, at : at + width].astype(np.int64) - ord("0")) @ 10 ** np.arange(width)[::-1]

    known = (month > 0) & (cells[:, len(_FORM) - 1] > 0) & (cells[:, len(_FORM)] == 0)
    for at, mark in enumerate(_FORM):
        if mark == ord("0"):
            known &= (cells[:, at] >= ord("0")) & (cells[:, at] <= ord("9"))
        elif mark != ord("a"):
            known &= cells[:, at] == mark
    day, hour, minute, second = map(number, (8, 11, 14, 17))
    known &= (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60) & (second < 61)
    since_1970 = np.where(known, (number(24, 4) - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = since_1970.astype("datetime64[D]").astype(np.int64) + day - 1
    zone = cells[:, 20:23].astype(np.int64) @ np.array([65536, 256, 1])
    return known, days * 86_400 + hour * 3600 + minute * 60 + second, zone
