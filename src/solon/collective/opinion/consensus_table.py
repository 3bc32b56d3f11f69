"""Consensus as a CSV file: `comment-id`, one column per group, `group_aware_consensus`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solon.collective.conversation import Floats
from solon.collective.opinion.ballots import Ballots
from solon.collective.opinion.consensus import DRAWS, Consensus, measure, numeric_first
from solon.collective.opinion.counts import IN_NO_GROUP
from solon.collective.tables import Cell, write_csv
from solon.errors import InputError, Where

OVERALL = "aware"
"""Where a group's name stands in `group_aware_consensus`."""


def measure_ballots(
    ballots: Ballots, group_column: str, *, smoothing: bool, minimum: int, draws: int = DRAWS, seed: int = 0
) -> tuple[Consensus, int]:
    """Consensus for the groups that a column names, and how many participants have none.

    Groups stand in order of their names, numbers by value and before words.

    Raises:
        InputError: if the column names no group at all, or one after which two columns would be called the same.
    """
    cells = [cell.strip() for cell in ballots.table.column(group_column)]
    names = tuple(sorted({cell for cell in cells if cell}, key=numeric_first))
    if not names:
        what = f"no participant has a {group_column}"
        raise InputError(what, where=Where(ballots.table.path), hint="name another column with --group-column")
    if OVERALL in names:
        line = ballots.table.lines[cells.index(OVERALL)]
        what = f"a group is called {OVERALL!r}, and group_{OVERALL}_consensus is the column of all groups together"
        raise InputError(what, where=Where(ballots.table.path, line), hint="call the group something else")
    label = {name: at for at, name in enumerate(names)}
    labels_P = np.array([label.get(cell, IN_NO_GROUP) for cell in cells], dtype=np.int64)
    found = measure(
        votes_PS=ballots.votes_PS,
        seen_PS=ballots.seen_PS,
        labels=labels_P,
        names=names,
        statement_ids=ballots.statement_ids,
        smoothing=smoothing,
        minimum=minimum,
        draws=draws,
        seed=seed,
    )
    return found, int((labels_P == IN_NO_GROUP).sum())


def write_consensus(path: Path, found: Consensus, *, intervals: bool = False) -> None:
    """Write the table by statement id. Cells are empty where nothing can be said.

    `intervals` adds, after the columns that are always there, votes and interval by group, the interval of the
    product, the geometric mean, and whether a group has too few votes.
    """
    header = ["comment-id", *(f"group_{name}_consensus" for name in found.names), f"group_{OVERALL}_consensus"]
    columns: list[list[Cell]] = [
        found.statement_ids.tolist(),
        *map(empty_for_nan, found.groups_KS),
        empty_for_nan(found.product_S),
    ]
    if intervals:
        for at, name in enumerate(found.names):
            header += [f"group_{name}_{what}" for what in ("votes", "low", "high")]
            columns += [found.votes_KS[at].tolist(), empty_for_nan(found.low_KS[at]), empty_for_nan(found.high_KS[at])]
        header += ["group_aware_low", "group_aware_high", "geometric_mean", "few_votes"]
        columns += [empty_for_nan(one) for one in (found.product_low_S, found.product_high_S, found.geometric_S)]
        columns.append(found.few_votes_S.tolist())
    write_csv(path, header, zip(*columns, strict=True))


def empty_for_nan(numbers: Floats) -> list[Cell]:
    """NaN as an empty cell."""
    return [None if np.isnan(one) else float(one) for one in numbers]
