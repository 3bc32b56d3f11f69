"""What an export states of its own numbers, against the votes that are imported."""

from __future__ import annotations

from collections import Counter

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, PASS, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.exported import Export, ExportedVotes
from solon.collective.reading.index import Cells, Frame

RECOUNTED = "the votes count, not the column"


def check_counts(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Findings about every count that does not fit. events and cells: +1 agrees."""
    _check_participants(export, cells)
    _check_authors(export)
    _check_statements(export, events, cells)
    _check_totals(export, cells)


def _check_participants(export: Export, cells: Cells) -> None:
    """n-votes, n-agree and n-disagree are counts of the latest votes."""
    path, said = export.participants_path, export.participant_counts
    if path is None:
        return
    at = np.searchsorted(cells.frame.participant_ids, export.participant_ids)
    for name, kind in (("n-votes", None), ("n-agree", AGREE), ("n-disagree", DISAGREE)):
        _compare(export, name, cells.per_participant(kind)[at])
    if "n-votes" in said:
        kinds = [np.maximum(said[name], 0) for name in ("n-agree", "n-disagree") if name in said]
        too_many = (sum(kinds, np.zeros(len(at), dtype=np.int64)) > said["n-votes"]) & (said["n-votes"] >= 0)
        bad = export.participant_ids[too_many | (said["n-votes"] > len(cells.frame.statement_ids))].tolist()
        if bad:
            what = f"impossible counts of {many(len(bad), 'participant')}: {listed(bad)} (n-agree + n-disagree above "
            export.findings.warning(path, what + "n-votes, or n-votes above the number of statements)", RECOUNTED)


def _check_authors(export: Export) -> None:
    """n-comments is the number of statements a participant wrote."""
    wrote = Counter(one.author for one in export.statements if one.author is not None)
    people = export.participant_ids.tolist()
    if not wrote:
        return
    _compare(export, "n-comments", np.array([wrote[number] for number in people], dtype=np.int64), "author-id counts")
    if export.participants and (absent := sorted(set(wrote) - set(people))):
        what = f"{many(len(absent), 'author')} who {'is' if len(absent) == 1 else 'are'} no participant"
        export.findings.note(export.comments_path, f"{what}: {listed(absent)}; kept as author, with no votes")


def _compare(export: Export, name: str, counted: Ints, done: str = RECOUNTED) -> None:
    said = export.participant_counts.get(name)
    wrong = [] if said is None else export.participant_ids[(said >= 0) & (said != counted)].tolist()
    if wrong:
        assert export.participants_path is not None
        what = f"{name} does not fit for {many(len(wrong), 'participant')}: {listed(wrong)}"
        export.findings.warning(export.participants_path, what, done)


def _check_statements(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Clojure counts events, so that re-votes count twice; the server counts latest votes. Either may be meant."""
    ids = export.statement_ids
    at = np.searchsorted(cells.frame.statement_ids, ids)
    for name, kind in (("agrees", AGREE), ("disagrees", DISAGREE), ("passes", PASS)):
        told = export.statement_counts.get(name)
        if told is None or (told < 0).all():
            continue
        latest = cells.per_statement(kind)[at]
        if events is not None:
            among = cells.frame.statement_index(events)[events.vote == kind]
            _say_wrong(export, name, told, latest, np.bincount(among, minlength=len(cells.frame.statement_ids))[at])
            continue
        # Every latest vote is an event, so there can be fewer of them, never more.
        more, fewer = (told > latest) & (told >= 0), (told < latest) & (told >= 0)
        if more.any():
            surplus = int((told - latest)[more].sum())
            what = f"{name} is above the latest votes for {many(int(more.sum()), 'statement')}, by {surplus:,} in all"
            export.findings.note(export.comments_path, f"{what}; re-votes count twice there")
        if fewer.any():
            wrong = ids[fewer].tolist()
            what = f"{name} is below the votes in the matrix for {many(len(wrong), 'statement')}: {listed(wrong)}"
            export.findings.warning(export.comments_path, what, RECOUNTED)


def check_importance(export: Export, events: ExportedVotes | None, important_S: Ints, frame: Frame) -> None:
    """importance-votes, against the votes that mark a statement. important_S: of those that count."""
    told = export.statement_counts.get("importance-votes")
    if told is None or events is None or events.important is None:
        return
    at = np.searchsorted(frame.statement_ids, export.statement_ids)
    marked = np.bincount(frame.statement_index(events)[events.important], minlength=len(frame.statement_ids))
    _say_wrong(export, "importance-votes", told, important_S[at], marked[at])


def _say_wrong(export: Export, name: str, told: Ints, *counted: Ints) -> None:
    """A finding where a count fits none of two ways to count. The way that fits more often is meant."""
    fits = max(((told == count) | (told < 0) for count in counted), key=np.sum)
    if not fits.all():
        wrong = export.statement_ids[~fits].tolist()
        what = f"{name} differs from the votes for {many(len(wrong), 'statement')}: {listed(wrong)}"
        export.findings.warning(export.comments_path, what, RECOUNTED)


def _check_totals(export: Export, cells: Cells) -> None:
    authors = {one.author for one in export.statements if one.author is not None}
    groups = {one.exported_group for one in export.participants} - {None}
    checks = {
        "voters": {len(cells.frame.participant_ids), int((cells.per_participant() > 0).sum())},
        "comments": {len(export.statements), len(export.columns), int((cells.per_statement() > 0).sum())},
        "commenters": {len(authors)} if authors else set(),
        "groups": {len(groups)} if groups else set(),
    }
    for name, possible in checks.items():
        if name in export.stated and possible and export.stated[name] not in possible:
            what = f"{name} is {export.stated[name]:,}, but there are {max(possible):,}"
            export.findings.warning("summary.csv", what, "the other files count")
