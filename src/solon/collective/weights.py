"""Post-stratification weights by raking, and estimates with intervals that account for them.

Weights make a sample that recruited too many of some people and too few of others speak for the population, as far as
the quotas explain the difference. What they cannot mend: people of one category who took part and think otherwise
than those of the same category who did not.

Shapes: N people in the sample, S statements, M indicators of categories.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import AGREE, Bools, Conversation, Floats, Ints
from solon.collective.population import Margin
from solon.collective.sample import UNKNOWN, Sample
from solon.collective.tables import shown
from solon.errors import Fault, InputError
from solon.records import Record

CAP = 5.0
"""Largest weight, the mean being 1 (DeBell and Krosnick, 2009, "Computing weights for American National Election Study
survey data", ANES technical report nes012427, which trims at 5)."""
TOLERANCE = 5e-4
"""Shares that weighting leaves this far from the population's count as reached: a twentieth of a percentage point."""
ITERATIONS = 1000
FEW = 5
"""People below which a category is proposed for merging: their weights rest on almost nobody. Assumption."""


class Collapse(Record):
    """A proposal to count one category as another."""

    attribute: str
    category: str
    into: str
    people: int

    def __str__(self) -> str:
        return f'{self.attribute}: merge = {{ "{self.category}" = "{self.into}" }}'


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
    unknown: dict[str, int]
    """People in each margin whose category is unknown. Together they keep their share, the others are weighted to the
    population's."""
    proposals: tuple[Collapse, ...]
    """Categories so small that merging them would be better."""

    @property
    def n_effective(self) -> float:
        """As `effective_size`."""
        return effective_size(self.weights_N)

    @property
    def design_effect(self) -> float:
        """What weighting costs: by this factor the variance of a mean grows (Kish, 1965, *Survey Sampling*, 11.7)."""
        return len(self.weights_N) / self.n_effective


def effective_size(weights_N: Floats) -> float:
    """Kish's effective sample size, (Σ w)² / Σ w²: so many people, equally weighted, would tell as much.

    >>> effective_size(np.array([1.0, 1.0, 2.0]))
    2.6666666666666665
    """
    total = float(weights_N.sum())
    return total * total / float(weights_N @ weights_N) if total else 0.0


def rake(sample: Sample, *, cap: float | None = CAP) -> Weights:
    """Weights with which the sample has the population's share in every category of every margin.

    Raking (Deming and Stephan, 1940): the weights are scaled to one margin after the other until all fit. People whose
    category is unknown are a category of their own, with the share they have. Weights above `cap` are set to it in
    every round; then the shares fit less well, and `remaining_gap` says how much. Iteration and trimming are
    weightipy's.

    Raises:
        InputError: for categories without anybody, each with what to merge it with; for people in combinations that the
            population has nobody in; for margins that no weights can reach together.
    """
    margins = sample.population.margins
    if not len(sample):
        raise InputError("nobody to weight: the sample is empty", hint="check the screening questions and the ids")
    coded = [sample.codes(margin) for margin in margins]
    _check_cells(sample, margins, coded)
    targets = [_targets(margin, names, codes) for margin, (names, codes) in zip(margins, coded, strict=True)]
    codes_NM = np.stack([codes for _, codes in coded], axis=1)
    weights_N = _raked(codes_NM, targets, None)
    gap, worst = _largest_gap(codes_NM, targets, weights_N)
    if not gap <= TOLERANCE:
        raise InputError(
            f"raking does not converge: {margins[worst].name} stays {100 * gap:.2g} points off",
            where=sample.population.where(margins[worst].attributes[0]),
            hint="two attributes say almost the same, or contradict each other; merge categories or leave one out",
        )
    trimmed = 0
    if cap is not None and weights_N.max() > cap:
        trimmed = int((weights_N > cap).sum())
        weights_N = _raked(codes_NM, targets, cap)
        gap, _ = _largest_gap(codes_NM, targets, weights_N)
    return Weights(
        sample=sample,
        weights_N=weights_N,
        trimmed=trimmed,
        remaining_gap=gap,
        unknown={
            margin.name: int((codes == len(names) - 1).sum())
            for margin, (names, codes) in zip(margins, coded, strict=True)
        },
        proposals=tuple(collapses(sample, below=FEW)),
    )


def collapses(sample: Sample, *, below: int) -> list[Collapse]:
    """For every category of an attribute with fewer than `below` people, what to count it as.

    Ordered attributes: the smaller neighbour in the order of the file. Others: the smallest other category.
    """
    found = []
    for name, attribute in sample.population.attributes.items():
        categories = list(attribute.shares)
        people = {one: sum(value == one for value in sample.categories[name]) for one in categories}
        for place, category in enumerate(categories):
            if people[category] >= below or len(categories) < 3:
                continue
            others = [one for one in categories if one != category]
            if attribute.ordered:
                others = [categories[at] for at in (place - 1, place + 1) if 0 <= at < len(categories)]
            into = min(others, key=lambda one: (people[one] == 0, people[one], one))
            found.append(Collapse(attribute=name, category=category, into=into, people=people[category]))
    return found


def _check_cells(sample: Sample, margins: Sequence[Margin], coded: Sequence[tuple[list[str], Ints]]) -> None:
    """No empty category, nobody where the population has nobody."""
    advice = {(one.attribute, one.category): str(one) for one in collapses(sample, below=1)}
    faults = []
    for margin, (names, codes) in zip(margins, coded, strict=True):
        counts = np.bincount(codes, minlength=len(names))
        single = len(margin.attributes) == 1
        for name, count in zip(names[:-1], counts[:-1].tolist(), strict=True):
            where = sample.population.where(margin.attributes[0], name) if single else sample.population.where("joint")
            if name in margin.shares and not count:
                hint = advice.get((margin.name, name)) or f"merge categories, or leave {margin.name} out"
                faults.append(Fault(f"{margin.name}: nobody in {shown(name)}, so nobody can stand for it", where, hint))
            elif name not in margin.shares and count:
                what = f"{margin.name}: {count} in {shown(name)}, where the population has nobody"
                faults.append(Fault(what, where, "correct the quota, or merge categories"))
    if faults:
        raise InputError(faults)


def _targets(margin: Margin, names: Sequence[str], codes: Ints) -> Floats:
    """Shares by category: the population's, scaled to those of whom it is known, and the unknown's own."""
    unknown = float(np.mean(codes == len(names) - 1))
    assert names[-1] == UNKNOWN
    return np.array([*(margin.shares.get(name, 0.0) * (1 - unknown) for name in names[:-1]), unknown])


def _raked(codes_NM: Ints, targets: Sequence[Floats], cap: float | None) -> Floats:
    import pandas as pd
    import weightipy

    columns = [f"m{at}" for at in range(len(targets))]
    scheme = weightipy.scheme_from_dict(
        {
            column: {code: 100 * float(share) for code, share in enumerate(target) if share > 0}
            for column, target in zip(columns, targets, strict=True)
        },
        name="raking",
        rim_params={"max_iterations": ITERATIONS, "cap": cap or 0},
    )
    # It prints whether it converged; we look at the shares instead.
    with redirect_stdout(io.StringIO()):
        found = weightipy.weight(pd.DataFrame(codes_NM, columns=columns), scheme)
    weights_N: Floats = np.asarray(found, dtype=np.float64)
    return np.asarray(weights_N / weights_N.mean())


def _largest_gap(codes_NM: Ints, targets: Sequence[Floats], weights_N: Floats) -> tuple[float, int]:
    """The largest distance of a weighted share from its target, and the margin it is in."""
    total = weights_N.sum()
    gaps = [
        float(np.abs(np.bincount(codes, weights=weights_N, minlength=len(target)) / total - target).max())
        for codes, target in zip(codes_NM.T, targets, strict=True)
    ]
    worst = int(np.argmax(gaps))
    return gaps[worst], worst


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Weighted shares of those who saw each statement, with intervals. All [S]; NaN where nobody saw it."""

    share_S: Floats
    low_S: Floats
    high_S: Floats
    n_S: Ints
    """People it rests on."""
    n_effective_S: Floats
    """So many people in a simple random sample would give an interval of the same width."""


def estimate(hits_NS: Bools, seen_NS: Bools, weights: Weights, *, confidence: float = 0.95) -> Estimates:
    """The population's share of `hits` among those who would see each statement.

    The estimate is Σ w·hit / Σ w over those who saw the statement. Its variance comes from linearisation: that of the
    weighted residuals w·e, where e is what is left of (hit − share)·seen / Σ w·seen after a weighted regression on the
    categories that were raked to (Deville and Särndal, 1992, "Calibration estimators in survey sampling", JASA 87,
    section 3: raking varies as this regression does), times n / (n − indicators). The interval is Wilson's with the
    effective size share·(1 − share) / variance instead of n and Student's t instead of the normal (Franco, Little,
    Louis and Slud, 2019, "Comparative study of confidence intervals for proportions in complex sample surveys",
    Journal of Survey Statistics and Methodology 7).

    Deviations: targets of people of unknown category count as known; trimmed weights count as raked ones. Where all or
    none hit there is no residual, and the effective size is Kish's.

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
        n_effective_S = np.where(variance_S > 0, share_S * (1 - share_S) / variance_S, kish_S)
        t_S = stdtrit(np.maximum(n_S - 1, 1), 0.5 + confidence / 2)
        low_S, high_S = _wilson(share_S, n_effective_S, t_S)
    return Estimates(share_S=share_S, low_S=low_S, high_S=high_S, n_S=n_S, n_effective_S=n_effective_S)


def agreement(conversation: Conversation, weights: Weights, *, confidence: float = 0.95) -> Estimates:
    """`estimate` of the share that agrees with each statement, among those who voted on it, passes included.

    Every person of the sample must be in the conversation.
    """
    row_of = {int(one): row for row, one in enumerate(conversation.participant_ids)}
    rows = np.array([row_of[int(one)] for one in weights.sample.participant_ids], dtype=np.int64)
    votes_NS, seen_NS = conversation.votes_PS[rows], conversation.seen_PS[rows]
    return estimate((votes_NS == AGREE) & seen_NS, seen_NS, weights, confidence=confidence)


def _calibrated_variance(linear_NS: Floats, weights: Weights) -> Floats:
    """Variance of Σ w·linear once the margins are held at their targets [S]."""
    indicators_NM = _indicators(weights.sample)
    root_N = np.sqrt(weights.weights_N)
    # The regression is weighted by w: ordinary least squares of √w·linear on √w·indicators.
    basis_NM, _ = _orthonormal(root_N[:, None] * indicators_NM)
    scaled_NS = root_N[:, None] * linear_NS
    residual_NS = scaled_NS - basis_NM @ (basis_NM.T @ scaled_NS)
    people, rank = basis_NM.shape
    spread_S = ((root_N[:, None] * residual_NS) ** 2).sum(axis=0)
    return np.asarray(spread_S * people / max(people - rank, 1))


def _indicators(sample: Sample) -> Floats:
    """1 where a person is in a category, over all margins [N, M]."""
    columns = []
    for margin in sample.population.margins:
        names, codes = sample.codes(margin)
        columns.append((codes[:, None] == np.arange(len(names))).astype(np.float64))
    return np.concatenate([np.ones((len(sample), 1)), *columns], axis=1)


def _orthonormal(matrix_NM: Floats) -> tuple[Floats, Floats]:
    """An orthonormal basis of the columns [N, rank], and the singular values kept."""
    left_NM, singular_M, _ = np.linalg.svd(matrix_NM, full_matrices=False)
    kept = singular_M > 1e-10 * singular_M[0]
    return left_NM[:, kept], singular_M[kept]


def _wilson(share_S: Floats, n_S: Floats, z_S: Floats) -> tuple[Floats, Floats]:
    """Wilson's interval for a share."""
    z2_S = z_S**2
    middle_S = (share_S + z2_S / (2 * n_S)) / (1 + z2_S / n_S)
    half_S = z_S / (1 + z2_S / n_S) * np.sqrt(share_S * (1 - share_S) / n_S + z2_S / (4 * n_S**2))
    return np.maximum(middle_S - half_S, 0.0), np.minimum(middle_S + half_S, 1.0)
