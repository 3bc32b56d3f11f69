"""Counts of server exports that stand in each other's place.

Up to 2025 the server counts `vote = 1` as agree in its CSV export, although -1 is what it stores for agree: `agrees`
holds the disagrees. Which files of which version do so is not known, so the votes are asked, once their sign is.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, Ints
from solon.collective.reading.exported import Export, Layout
from solon.collective.reading.index import Cells


def straightened(export: Export, cells: Cells) -> Export:
    """The export with swapped counts back in their places, and a finding for each file where they were not.

    cells: the votes that count, +1 agree. Other layouts have their counts right; what does not fit there is a fault.
    """
    if export.layout is not Layout.server_csv:
        return export
    at = np.searchsorted(cells.frame.statement_ids, export.statement_ids)
    have = cells.per_statement(AGREE)[at], cells.per_statement(DISAGREE)[at]
    said = _straight(export, export.comments_path, export.statement_counts, ("agrees", "disagrees"), have)
    at = np.searchsorted(cells.frame.participant_ids, export.participant_ids)
    have = cells.per_participant(AGREE)[at], cells.per_participant(DISAGREE)[at]
    people = _straight(export, export.participants_path, export.participant_counts, ("n-agree", "n-disagree"), have)
    return replace(export, statement_counts=said, participant_counts=people)


def _straight(
    export: Export, path: Path | None, said: dict[str, Ints], names: tuple[str, str], have: tuple[Ints, Ints]
) -> dict[str, Ints]:
    if path is None or not said.keys() >= set(names):
        return said
    first, second = (said[name] for name in names)
    straight = int(((first == have[0]) & (second == have[1])).sum())
    reverse = int(((first == have[1]) & (second == have[0])).sum())
    if reverse <= straight:
        return said
    what = f"{names[0]} and {names[1]} stand in each other's place ({reverse:,} rows fit so, {straight:,} as named)"
    export.findings.repair(path, what, "read the other way round")
    return {**said, names[0]: second, names[1]: first}
