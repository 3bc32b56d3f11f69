"""What an export states of its own numbers, against the votes that are imported."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, PASS, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.exported import Export, ExportedVotes
from solon.collective.reading.index import Cells

RECOUNTED = "the votes count, not the column"


def check_counts(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Findings about every count that does not fit. events and cells: +1 agrees."""
    _check_participants(export, cells)
    _check_authors(export)
    _check_statements(export, events, cells)
    _check_totals(export, cells)


def _check_participants(export: Export, cells: Cells) -> None:
    """n-votes, n-agree and n-disagree are counts of the latest votes."""
    path = export.participants_path
    if path is None:
        return
    ids = np.array([one.participant.id for one in export.participants], dtype=np.int64)
    at = np.searchsorted(cells.frame.participant_ids, ids)
    for name, kind in (("n_votes", None), ("n_agree", AGREE), ("n_disagree", DISAGREE)):
        stated = [getattr(one, name) for one in export.participants]
        _compare(export, name.replace("_", "-"), ids, stated, cells.per_participant(kind)[at])
    bad = [
        one.participant.id
        for one in export.participants
        if one.n_votes is not None
        and ((one.n_agree or 0) + (one.n_disagree or 0) > one.n_votes or one.n_votes > len(cells.frame.statement_ids))
    ]
    if bad:
        what = (
            f"impossible counts of {many(len(bad), 'participant')}: {listed(bad)} (n-agree + n-disagree above n-votes, "
        )
        export.findings.warning(path, what + "or n-votes above the number of statements)", RECOUNTED)


def _check_authors(export: Export) -> None:
    """n-comments is the number of statements a participant wrote."""
    if not any(one.statement.author is not None for one in export.statements):
        return
    ids = np.array([one.participant.id for one in export.participants], dtype=np.int64)
    authors = [one.statement.author for one in export.statements if one.statement.author is not None]
    wrote = {int(number): int(count) for number, count in zip(*np.unique(authors, return_counts=True), strict=True)}
    counted = np.array([wrote.get(number, 0) for number in ids.tolist()], dtype=np.int64)
    _compare(export, "n-comments", ids, [one.n_comments for one in export.participants], counted, "author-id counts")
    if export.participants and (absent := sorted(set(wrote) - set(ids.tolist()))):
        what = (
            f"{many(len(absent), 'author')} who {'is' if len(absent) == 1 else 'are'} no participant: {listed(absent)}"
        )
        export.findings.note(export.comments_path, f"{what}; kept as author, with no votes")


def _compare(
    export: Export, name: str, ids: Ints, stated: Sequence[int | None], counted: Ints, done: str = RECOUNTED
) -> None:
    wrong = [
        number
        for number, said, have in zip(ids.tolist(), stated, counted.tolist(), strict=True)
        if said is not None and said != have
    ]
    if wrong:
        assert export.participants_path is not None
        what = f"{name} does not fit for {many(len(wrong), 'participant')}: {listed(wrong)}"
        export.findings.warning(export.participants_path, what, done)


def _check_statements(export: Export, events: ExportedVotes | None, cells: Cells) -> None:
    """Clojure counts events, so that re-votes count twice; the server counts latest votes. Either may be meant."""
    ids = np.array([one.statement.id for one in export.statements], dtype=np.int64)
    at = np.searchsorted(cells.frame.statement_ids, ids)
    stated = {"agrees": AGREE, "disagrees": DISAGREE, "passes": PASS}
    for name, kind in stated.items():
        said = [getattr(one, name) for one in export.statements]
        if all(number is None for number in said):
            continue
        latest = cells.per_statement(kind)[at]
        told = np.array([-1 if number is None else number for number in said])
        fits = (told == latest) | (told < 0)
        if events is not None:
            among = cells.frame.statement_index(events)[events.vote == kind]
            fits_events = (told == np.bincount(among, minlength=len(cells.frame.statement_ids))[at]) | (told < 0)
            fits = fits_events if fits_events.sum() > fits.sum() else fits
            wrong, how = ids[~fits], "differs from the votes"
        else:
            # Every latest vote is an event, so there can be fewer of them, never more.
            _note_revotes(export, name, told, latest)
            wrong, how = ids[~fits & (told < latest)], "is below the votes in the matrix"
        if len(wrong):
            what = f"{name} {how} for {many(len(wrong), 'statement')}: {listed(wrong.tolist())}"
            export.findings.warning(export.comments_path, what, RECOUNTED)


def _note_revotes(export: Export, name: str, told: Ints, latest: Ints) -> None:
    more = (told > latest) & (told >= 0)
    if more.any():
        surplus = int((told - latest)[more].sum())
        what = f"{name} is above the latest votes for {many(int(more.sum()), 'statement')}, by {surplus:,} in all"
        export.findings.note(export.comments_path, f"{what}; re-votes count twice there")


def _check_totals(export: Export, cells: Cells) -> None:
    stated = export.stated or {}
    authors = {one.statement.author for one in export.statements if one.statement.author is not None}
    groups = {one.participant.exported_group for one in export.participants} - {None}
    checks = {
        "voters": {len(cells.frame.participant_ids), int((cells.per_participant() > 0).sum())},
        "comments": {len(export.statements), len(export.columns), int((cells.per_statement() > 0).sum())},
        "commenters": {len(authors)} if authors else set(),
        "groups": {len(groups)} if groups else set(),
    }
    for name, possible in checks.items():
        if name in stated and possible and stated[name] not in possible:
            what = f"{name} is {stated[name]:,}, but there are {max(possible):,}"
            export.findings.warning("summary.csv", what, "the other files count")
