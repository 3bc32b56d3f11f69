"""Post-stratification: weights by raking, and estimates with intervals that account for the weights.

Weights make a sample that recruited too many of some people and too few of others speak for the population, as far as
the quotas explain the difference. What they cannot mend: people of one category who took part and think otherwise
than those of the same category who did not.

Shapes: N people in the sample, S statements, M margins (of estimates: indicators of categories).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import AGREE, Bools, Conversation, Floats, Ints
from solon.collective.csv_text import shown
from solon.collective.people.sample import Cells, Sample
from solon.errors import Fault, InputError
from solon.evals.statistics import score_interval

CAP = 5.0
"""Largest weight, the mean being 1 (DeBell and Krosnick, 2009, "Computing weights for American National Election Study
survey data", ANES technical report nes012427, which trims at 5)."""
TOLERANCE = 1e-6
"""Shares that weighting leaves this far from the population's count as reached."""
EXACT = 1e-10
"""Raking stops where a round changes no weight by more."""
ROUNDS = 10_000
"""Of raking at most: attributes that go together closely need many."""
FEW = 5
"""People below which a category is proposed for merging: their weights rest on almost nobody. Assumption."""
NO_RESIDUAL = 1e-9
"""Variance, relative to that of a simple random sample, below which it is a rounding error."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of a sample, mean 1."""

    sample: Sample
    weights_N: Floats
    """In the order of `sample.participant_ids`."""
    trimmed: int
    """People whose weight the cap lowered."""
    remaining_gap: float
    """Largest difference between a weighted share and its target; above 0 where weights were trimmed."""

    @property
    def unknown(self) -> dict[str, int]:
        """People in each margin whose category is unknown. Together they keep their share."""
        return {cells.margin.name: cells.counts[-1] for cells in self.sample.cells}

    @property
    def n_effective(self) -> float:
        """Kish's effective sample size, (Σ w)² / Σ w²: so many people, equally weighted, would tell as much."""
        return float(self.weights_N.sum() ** 2 / (self.weights_N @ self.weights_N))

    @property
    def design_effect(self) -> float:
        """What weighting costs: by this factor the variance of a mean grows (Kish, 1965, *Survey Sampling*, 11.7)."""
        return len(self.weights_N) / self.n_effective


def rake(sample: Sample, *, cap: float | None = CAP) -> Weights:
    """Weights with which the sample has the population's share in every category of every margin.

    By raking (Deming and Stephan, 1940). People whose category is unknown are a category of their own, with the share
    they have. Weights above `cap` are set to it in every round; then `remaining_gap` says how far shares stay off.

    Raises InputError for categories without anybody, each with what to merge it with; for people in combinations that
    the population has nobody in; for margins that no weights can reach together.
    """
    if not len(sample):
        raise InputError("nobody to weight: the sample is empty", hint="check the screening questions and the ids")
    if faults := [*_unfit_cells(sample)]:
        raise InputError(faults)
    margins = sample.cells
    targets = [_targets(cells) for cells in margins]
    codes_NM = np.stack([cells.codes_N for cells in margins], axis=1)
    weights_N = _raked(codes_NM, targets, None)
    gaps_M = _gaps(codes_NM, targets, weights_N)
    if not max(gaps_M) <= TOLERANCE:
        worst = margins[int(np.argmax(gaps_M))].margin
        raise InputError(
            f"no weights fit all quotas: {worst.name} stays {100 * max(gaps_M):.2g} points off",
            where=sample.population.where(worst),
            hint="two attributes say almost the same, or contradict each other; merge categories or leave one out",
        )
    trimmed = 0
    if cap is not None and weights_N.max() > cap:
        trimmed = int((weights_N > cap).sum())
        weights_N = _raked(codes_NM, targets, cap)
    gap = max(_gaps(codes_NM, targets, weights_N))
    return Weights(sample=sample, weights_N=weights_N, trimmed=trimmed, remaining_gap=gap)


def collapses(sample: Sample, *, below: int) -> dict[tuple[str, str], str]:
    """For every attribute and category with fewer than `below` people, what to write to count them as others.

    Ordered attributes: the smaller neighbour in the order of the file. Others: the smallest other category.
    """
    found = {}
    for name, attribute in sample.population.attributes.items():
        categories, people = [*attribute.shares], Counter(sample.categories[name])
        for place, category in enumerate(categories):
            if people[category] >= below or len(categories) < 3:
                continue
            others = [one for one in categories if one != category]
            if attribute.ordered:
                others = [categories[at] for at in (place - 1, place + 1) if 0 <= at < len(categories)]
            into = min(others, key=lambda one: (people[one] == 0, people[one], one))
            found[name, category] = f'{name}: merge = {{ "{category}" = "{into}" }}'
    return found


def _unfit_cells(sample: Sample) -> Iterator[Fault]:
    advice = collapses(sample, below=1)
    for cells in sample.cells:
        title = cells.margin.name
        for name, count in zip(cells.names[:-1], cells.counts, strict=False):
            where = sample.population.where(cells.margin, name)
            if name in cells.margin.shares and not count:
                hint = advice.get((title, name), f"merge categories, or leave {title} out")
                yield Fault(f"{title}: nobody in {shown(name)}, so nobody can stand for it", where, hint)
            elif name not in cells.margin.shares:
                what = f"{title}: {count} in {shown(name)}, where the population has nobody"
                yield Fault(what, where, "correct the quota, or merge categories")


def _targets(cells: Cells) -> Floats:
    """Shares by category: the population's, scaled to those of whom it is known, and the unknown's own."""
    unknown = cells.counts[-1] / len(cells.codes_N)
    return np.array([*(cells.margin.shares.get(name, 0.0) * (1 - unknown) for name in cells.names[:-1]), unknown])


def _raked(codes_NM: Ints, targets: Sequence[Floats], cap: float | None) -> Floats:
    """Weights scaled to one margin after the other, and trimmed, until a round changes nothing."""
    weights_N = np.ones(len(codes_NM))
    for _ in range(ROUNDS):
        before_N = weights_N
        for codes, target in zip(codes_NM.T, targets, strict=True):
            sums = np.bincount(codes, weights=weights_N, minlength=len(target))
            factors = np.divide(len(codes) * target, sums, out=np.zeros_like(target), where=sums > 0)
            weights_N = weights_N * factors[codes]
        while cap is not None and weights_N.max() > cap + EXACT:
            high_N = weights_N >= cap
            rest = len(weights_N) - cap * high_N.sum()
            weights_N = np.where(high_N, cap, weights_N * rest / weights_N[~high_N].sum())
        if np.abs(weights_N - before_N).max() <= EXACT:
            break
    return np.asarray(weights_N / weights_N.mean())


def _gaps(codes_NM: Ints, targets: Sequence[Floats], weights_N: Floats) -> list[float]:
    total = weights_N.sum()
    return [
        float(np.abs(np.bincount(codes, weights=weights_N, minlength=len(target)) / total - target).max())
        for codes, target in zip(codes_NM.T, targets, strict=True)
    ]


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
    """The population's share of `hits` among those who would see each statement; docs/method.md has the formulas.

    Its variance is that of a regression estimator on the categories that were raked to (Deville and Särndal, 1992, JASA
    87, section 3: raking varies as it does); its interval is Wilson's with an effective size and Student's t (Franco,
    Little, Louis and Slud, 2019, Journal of Survey Statistics and Methodology 7). Without residual it is Kish's size.

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
