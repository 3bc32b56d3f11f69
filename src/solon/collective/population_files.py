"""What `solon collect population` writes: gaps and estimates to publish, weights to keep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.collective.conversation import AGREE, Conversation
from solon.collective.sample import Gap, Sample
from solon.collective.tables import write_csv
from solon.collective.weights import Weights, agreement

GAPS, WEIGHTS, WEIGHTING, ESTIMATES = "gaps.csv", "weights.csv", "weighting.csv", "estimates.csv"
ESTIMATE_COLUMNS = ("comment-id", "voters", "agree_share", "weighted_share", "low", "high", "effective_voters")


def write_gaps(found: Sequence[Gap], out: Path) -> None:
    """`gaps.csv`: pass `published_gaps`, so that small counts are empty."""
    write_csv(out / GAPS, tuple(Gap.model_fields), (tuple(gap.model_dump().values()) for gap in found))


def write_weights(weights: Weights, out: Path) -> None:
    """`weights.csv`, readable by nobody but its owner, and `weighting.csv`, which names nobody.

    Weights are for the organiser: two people of one weight are alike in every attribute.
    """
    rows = zip(weights.sample.participant_ids.tolist(), weights.weights_N.tolist(), strict=True)
    write_csv(out / WEIGHTS, ("participant", "weight"), rows)
    (out / WEIGHTS).chmod(0o600)
    figures = {
        "participants": len(weights.sample),
        "effective_participants": weights.n_effective,
        "design_effect": weights.design_effect,
        "largest_weight": float(weights.weights_N.max()),
        "smallest_weight": float(weights.weights_N.min()),
        "trimmed_weights": weights.trimmed,
        "largest_remaining_gap_points": 100 * weights.remaining_gap,
    }
    write_csv(out / WEIGHTING, ("key", "value"), figures.items())


def write_estimates(conversation: Conversation, weights: Weights, out: Path) -> None:
    """`estimates.csv`: the share that agrees with each statement, as voted and weighted, with a 95% interval.

    Statements with fewer voters than the population's threshold have empty cells.
    """
    threshold = weights.sample.population.suppress_below
    found = agreement(conversation, weights)
    inside = np.isin(conversation.participant_ids, weights.sample.participant_ids)
    agrees_S = (conversation.votes_PS[inside] == AGREE).sum(axis=0)
    rows: list[tuple[object, ...]] = []
    for place, statement in enumerate(conversation.statements):
        voters = int(found.n_S[place])
        if voters < threshold:
            rows.append((statement.id, *[None] * (len(ESTIMATE_COLUMNS) - 1)))
            continue
        columns = (found.share_S, found.low_S, found.high_S, found.n_effective_S)
        rows.append((statement.id, voters, int(agrees_S[place]) / voters, *(float(one[place]) for one in columns)))
    write_csv(out / ESTIMATES, ESTIMATE_COLUMNS, rows)


def without_outsiders(sample: Sample, conversation: Conversation, screened_ids: Sequence[int]) -> Sample:
    """The sample among those who voted: people of unknown attributes included, people screened out not."""
    return sample.of(conversation.participant_ids[conversation.n_votes_P > 0], screened_ids)
