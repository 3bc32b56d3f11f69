"""What `solon collect population` writes: tables to publish, and the organiser's own in a folder apart.

gaps.csv                  the sample against the population, small counts hidden
estimates.csv             agreement, as voted and weighted, in whole percentage points
organiser/gaps.csv        the same with every count
organiser/estimates.csv   the same in full, with effective sizes
organiser/weights.csv     participant, weight
organiser/weighting.csv   effective size, design effect, trimmed weights

Weights give people away: two of one weight are alike in every attribute, and the largest weight says how few people
are in the smallest category. So do exact weighted shares, where votes are public. That is why `organiser` is apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, Conversation
from solon.collective.output import replacing
from solon.collective.people.sample import Gap, Sample, gaps, published_gaps
from solon.collective.people.weights import Weights, agreement
from solon.collective.tables import write_csv

GAPS, ESTIMATES, WEIGHTS, WEIGHTING = "gaps.csv", "estimates.csv", "weights.csv", "weighting.csv"
ORGANISER = "organiser"
ESTIMATE_COLUMNS = ("comment-id", "voters", "agree_share", "weighted_share", "low", "high")
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

    Raises:
        InputError: if `out` exists, unless it is empty, or was written by this function and `force` is set.
    """
    with replacing(out, marker=GAPS, force=force) as folder:
        organiser = folder / ORGANISER
        organiser.mkdir(mode=0o700)
        _write_gaps(published_gaps(sample), folder / GAPS)
        _write_gaps(gaps(sample), organiser / GAPS)
        if weights is not None:
            people = zip(sample.participant_ids.tolist(), weights.weights_N.tolist(), strict=True)
            write_csv(organiser / WEIGHTS, ("participant", "weight"), people)
            write_csv(organiser / WEIGHTING, ("key", "value"), _figures(weights).items())
            if conversation is not None:
                _write_estimates(conversation, weights, folder / ESTIMATES, organiser / ESTIMATES)
        for path in organiser.iterdir():
            path.chmod(0o600)


def _write_gaps(found: Sequence[Gap], path: Path) -> None:
    write_csv(path, tuple(Gap.model_fields), (tuple(gap.model_dump().values()) for gap in found))


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
    shown: list[tuple[object, ...]] = []
    full: list[tuple[object, ...]] = []
    figures = (found.n_S, agrees_S, found.share_S, found.low_S, found.high_S, found.n_effective_S)
    for number, voters, agrees, *shares, effective in zip(
        conversation.statement_ids.tolist(), *(one.tolist() for one in figures), strict=True
    ):
        if not voters:
            shown.append((number, *[None] * 5))
            full.append((number, 0, *[None] * 5))
            continue
        full.append((number, voters, agrees / voters, *shares, effective))
        counted = (voters, round(agrees / voters, DIGITS)) if voters >= threshold else (None, None)
        few = voters < threshold or any(0 < side < threshold for side in (agrees, voters - agrees))
        shown.append((number, *counted, *(None if few else round(share, DIGITS) for share in shares)))
    write_csv(public, ESTIMATE_COLUMNS, shown)
    write_csv(organiser, (*ESTIMATE_COLUMNS, "effective_voters"), full)
