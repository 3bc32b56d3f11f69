"""What `solon collect population` writes: tables to publish, and the organiser's own in a folder apart.

docs/formats/collect.md has every column. `organiser` is apart because weights, and exact weighted shares of public
votes, say which category people are in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import AGREE, Bools, Conversation
from solon.collective.output import replacing
from solon.collective.people.sample import Gap, Sample, gaps, published_gaps
from solon.collective.people.weights import Weights, agreement
from solon.collective.tables import ColumnsToWrite, csv_of_columns, write_csv, write_file, write_records

GAPS, ESTIMATES, WEIGHTS, WEIGHTING = "gaps.csv", "estimates.csv", "weights.csv", "weighting.csv"
ORGANISER = "organiser"
DIGITS = 2
"""Of published shares: whole percentage points."""


def write_population(
    sample: Sample,
    out: Path,
    *,
    weights: Weights | None = None,
    conversation: Conversation | None = None,
    force: bool = False,
) -> None:
    """Write the folder, whole or not at all. Estimates need weights and a conversation.

    Raises InputError if `out` exists, unless it is empty, or was written by this function and `force` is set.
    """
    with replacing(out, marker=GAPS, force=force) as folder:
        organiser = folder / ORGANISER
        organiser.mkdir(mode=0o700)
        write_records(folder / GAPS, Gap, published_gaps(sample))
        write_records(organiser / GAPS, Gap, gaps(sample))
        if weights is not None:
            rows = zip(sample.participant_ids.tolist(), weights.weights_N.tolist(), strict=True)
            write_csv(organiser / WEIGHTS, ("participant", "weight"), rows)
            write_csv(organiser / WEIGHTING, ("key", "value"), _figures(weights).items())
            if conversation is not None:
                _write_estimates(conversation, weights, folder / ESTIMATES, organiser / ESTIMATES)
        for path in organiser.iterdir():
            path.chmod(0o600)


def _figures(weights: Weights) -> dict[str, float]:
    return {
        "participants": len(weights.sample),
        "effective_participants": weights.n_effective,
        "design_effect": weights.design_effect,
        "largest_weight": float(weights.weights_N.max()),
        "smallest_weight": float(weights.weights_N.min()),
        "trimmed_weights": weights.trimmed,
        "largest_remaining_gap_points": 100 * weights.remaining_gap,
    }


def _write_estimates(conversation: Conversation, weights: Weights, public: Path, organiser: Path) -> None:
    """Agreement with each statement.

    For the public, statements with fewer voters than the population's threshold have empty cells. Weighted shares need
    that many on either side: with public votes, the weight of a few people would say which category they are in.
    """
    threshold = weights.sample.population.suppress_below
    found = agreement(conversation, weights)
    inside = np.isin(conversation.participant_ids, weights.sample.participant_ids)
    agrees_S = (conversation.votes_PS[inside] == AGREE).sum(axis=0)
    few_S = found.n_S < threshold
    split_S = few_S.copy()
    for side_S in (agrees_S, found.n_S - agrees_S):
        split_S |= (side_S > 0) & (side_S < threshold)
    counted = {"voters": found.n_S, "agree_share": agrees_S / np.where(found.n_S, found.n_S, np.nan)}
    weighted = {"weighted_share": found.share_S, "low": found.low_S, "high": found.high_S}
    ids: ColumnsToWrite = {"comment-id": conversation.statement_ids}
    shown = {name: _rounded(one_S, few_S) for name, one_S in counted.items()}
    shown |= {name: _rounded(one_S, split_S) for name, one_S in weighted.items()}
    write_file(public, csv_of_columns(ids | shown))
    write_file(organiser, csv_of_columns(ids | counted | weighted | {"effective_voters": found.n_effective_S}))


def _rounded(figures_S: NDArray[Any], hidden_S: Bools) -> list[float | None]:
    cells = zip(figures_S.tolist(), hidden_S.tolist(), strict=True)
    return [None if hidden else round(figure, DIGITS) for figure, hidden in cells]
