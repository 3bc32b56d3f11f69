"""Counts of server exports that stand in each other's place.

Up to 2025 the server counts `vote = 1` as agree in its CSV export, although -1 is what it stores for agree: `agrees`
holds the disagrees. Which files of which version do so is not known, so the votes are asked, once their sign is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE
from solon.collective.reading.exported import Export, Layout
from solon.collective.reading.index import Cells


def straightened(export: Export, cells: Cells) -> Export:
    """The export with swapped counts back in their places, and a finding for each file where they were not.

    cells: the votes that count, +1 agree. Other layouts have their counts right; what does not fit there is a fault.
    """
    if export.layout is not Layout.server_csv:
        return export
    said = {one.statement.id: (one.agrees, one.disagrees) for one in export.statements}
    have = _counts(cells.frame.statement_ids.tolist(), cells.per_statement(AGREE), cells.per_statement(DISAGREE))
    if _say_swapped(export, export.comments_path, ("agrees", "disagrees"), said, have):
        turned = tuple(replace(one, agrees=one.disagrees, disagrees=one.agrees) for one in export.statements)
        export = replace(export, statements=turned)
    said = {one.participant.id: (one.n_agree, one.n_disagree) for one in export.participants}
    have = _counts(cells.frame.participant_ids.tolist(), cells.per_participant(AGREE), cells.per_participant(DISAGREE))
    if _say_swapped(export, export.participants_path, ("n-agree", "n-disagree"), said, have):
        people = tuple(replace(one, n_agree=one.n_disagree, n_disagree=one.n_agree) for one in export.participants)
        export = replace(export, participants=people)
    return export


def _counts(ids: list[int], agrees: np.ndarray, disagrees: np.ndarray) -> dict[int, tuple[int, int]]:
    return dict(zip(ids, zip(agrees.tolist(), disagrees.tolist(), strict=True), strict=True))


def _say_swapped(
    export: Export,
    path: Path | None,
    names: tuple[str, str],
    said: dict[int, tuple[int | None, int | None]],
    have: dict[int, tuple[int, int]],
) -> bool:
    straight = _fitting(have[number] == pair for number, pair in said.items())
    reverse = _fitting(have[number][::-1] == pair for number, pair in said.items())
    if path is None or reverse <= straight:
        return False
    what = f"{names[0]} and {names[1]} stand in each other's place ({reverse:,} rows fit so, {straight:,} as named)"
    export.findings.repair(path, what, "read the other way round")
    return True


def _fitting(answers: Iterable[bool]) -> int:
    return sum(answers)
