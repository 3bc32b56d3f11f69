"""Estimates for the population from a weighted sample, with intervals that account for the weights.

Shapes: N people in the sample, S statements, M indicators of categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import AGREE, Bools, Conversation, Floats, Ints
from solon.collective.people.sample import Sample
from solon.collective.people.weights import Weights
from solon.evals.statistics import score_interval

NO_RESIDUAL = 1e-9
"""Variance, relative to that of a simple random sample, below which it is a rounding error."""


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Weighted shares of those who saw each statement, with 95% intervals. All [S]; NaN where nobody saw it."""

    share_S: Floats
    low_S: Floats
    high_S: Floats
    n_S: Ints
    """People it rests on."""
    n_effective_S: Floats
    """So many people in a simple random sample would give an interval of the same width."""


def estimate(hits_NS: Bools, seen_NS: Bools, weights: Weights) -> Estimates:
    """The population's share of `hits` among those who would see each statement.

    The estimate is Σ w·hit / Σ w over those who saw the statement. Its variance comes from linearisation: that of the
    weighted residuals w·e, where e is what is left of (hit − share)·seen / Σ w·seen after a weighted regression on the
    categories that were raked to (Deville and Särndal, 1992, "Calibration estimators in survey sampling", JASA 87,
    section 3: raking varies as this regression does), times n / (n − indicators). The interval is Wilson's with the
    effective size share·(1 − share) / variance instead of n and Student's t instead of the normal (Franco, Little,
    Louis and Slud, 2019, "Comparative study of confidence intervals for proportions in complex sample surveys",
    Journal of Survey Statistics and Methodology 7).

    Deviations: targets of people of unknown category count as known; trimmed weights count as raked ones. Where all or
    none hit, or the categories tell everybody apart, there is no residual, and the effective size is Kish's.

    Equal weights and no categories: 40 of 100 is 0.4, variance 0.24/99, effective size 99, interval 0.308 to 0.500.
    """
    from scipy.special import stdtrit

    w_N = weights.weights_N
    weighted_NS = w_N[:, None] * seen_NS
    total_S = weighted_NS.sum(axis=0)
    n_S = seen_NS.sum(axis=0).astype(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share_S = (weighted_NS * hits_NS).sum(axis=0) / total_S
        kish_S = total_S**2 / (weighted_NS**2).sum(axis=0)
        linear_NS = np.where(seen_NS, hits_NS - share_S, 0.0) / total_S
        variance_S = _calibrated_variance(np.nan_to_num(linear_NS), weights)
        spread_S = share_S * (1 - share_S)
        has_residual_S = variance_S > NO_RESIDUAL * spread_S / n_S
        n_effective_S = np.where(has_residual_S, spread_S / variance_S, kish_S)
        t_S = stdtrit(np.maximum(n_S - 1, 1), 0.975)
        low_S, high_S = score_interval(share_S, n_effective_S, t_S)
    return Estimates(share_S=share_S, low_S=low_S, high_S=high_S, n_S=n_S, n_effective_S=n_effective_S)


def agreement(conversation: Conversation, weights: Weights) -> Estimates:
    """`estimate` of the share that agrees with each statement, among those who voted on it, passes included.

    Every person of the sample must be in the conversation.
    """
    row_of = {int(one): row for row, one in enumerate(conversation.participant_ids)}
    rows = np.array([row_of[int(one)] for one in weights.sample.participant_ids], dtype=np.int64)
    votes_NS, seen_NS = conversation.votes_PS[rows], conversation.seen_PS[rows]
    return estimate((votes_NS == AGREE) & seen_NS, seen_NS, weights)


def _calibrated_variance(linear_NS: Floats, weights: Weights) -> Floats:
    """Variance of Σ w·linear once the margins are held at their targets [S]."""
    indicators_NM = _indicators(weights.sample)
    root_N = np.sqrt(weights.weights_N)
    # The regression is weighted by w: ordinary least squares of √w·linear on √w·indicators.
    left_NM, singular_M, _ = np.linalg.svd(root_N[:, None] * indicators_NM, full_matrices=False)
    basis_NM = left_NM[:, singular_M > 1e-10 * singular_M[0]]
    scaled_NS = root_N[:, None] * linear_NS
    residual_NS = scaled_NS - basis_NM @ (basis_NM.T @ scaled_NS)
    people, rank = basis_NM.shape
    spread_S = ((root_N[:, None] * residual_NS) ** 2).sum(axis=0)
    return np.asarray(spread_S * people / max(people - rank, 1))


def _indicators(sample: Sample) -> Floats:
    """1 where a person is in a category, over all margins [N, M]."""
    columns = [cells.codes_N[:, None] == np.arange(len(cells.names)) for cells in sample.cells]
    return np.concatenate([np.ones((len(sample), 1)), *columns], axis=1)
