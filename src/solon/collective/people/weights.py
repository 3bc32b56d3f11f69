"""Post-stratification weights by raking. What they are for is in `people.estimates`.

Weights make a sample that recruited too many of some people and too few of others speak for the population, as far as
the quotas explain the difference. What they cannot mend: people of one category who took part and think otherwise
than those of the same category who did not.

Shapes: N people in the sample, M margins.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Floats, Ints
from solon.collective.people.sample import Cells, Sample
from solon.collective.tables import shown
from solon.errors import Fault, InputError

CAP = 5.0
"""Largest weight, the mean being 1 (DeBell and Krosnick, 2009, "Computing weights for American National Election Study
survey data", ANES technical report nes012427, which trims at 5)."""
TOLERANCE = 1e-6
"""Shares that weighting leaves this far from the population's count as reached."""
EXACT = 1e-10
"""Where more rounds of raking stop: rounding errors of shares are smaller."""
ITERATIONS = 1000
"""Rounds of weightipy."""
MORE_ITERATIONS = 10_000
"""Rounds that follow where it stops early."""
FEW = 5
"""People below which a category is proposed for merging: their weights rest on almost nobody. Assumption."""


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
        """People in each margin whose category is unknown. Together they keep their share, the others are weighted to
        the population's."""
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

    Raking (Deming and Stephan, 1940): the weights are scaled to one margin after the other until all fit. People whose
    category is unknown are a category of their own, with the share they have. Weights above `cap` are set to it in
    every round; then the shares fit less well, and `remaining_gap` says how much. Iteration and trimming are
    weightipy's. It stops when a round changes the weights hardly less than the round before, which is early where
    attributes go together closely; more rounds follow until the shares fit.

    Raises:
        InputError: for categories without anybody, each with what to merge it with; for people in combinations that the
            population has nobody in; for margins that no weights can reach together.
    """
    if not len(sample):
        raise InputError("nobody to weight: the sample is empty", hint="check the screening questions and the ids")
    if faults := [*_unfit_cells(sample)]:
        raise InputError(faults)
    margins = sample.cells
    targets = [_targets(cells) for cells in margins]
    codes_NM = np.stack([cells.codes_N for cells in margins], axis=1)
    weights_N = _finished(codes_NM, targets, _raked(codes_NM, targets, None))
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
    """Empty categories, and people where the population has nobody."""
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
    import pandas as pd
    import weightipy

    columns = [f"m{at}" for at in range(len(targets))]
    scheme = weightipy.scheme_from_dict(
        {
            column: {code: 100 * float(share) for code, share in enumerate(target) if share > 0}
            for column, target in zip(columns, targets, strict=True)
        },
        name="raking",
        # It allows itself 0.0001 above the cap.
        rim_params={"max_iterations": ITERATIONS, "cap": cap - 1e-4 if cap else 0},
    )
    # It prints whether it converged; we look at the shares instead.
    with redirect_stdout(io.StringIO()):
        found = weightipy.weight(pd.DataFrame(codes_NM, columns=columns), scheme)
    weights_N: Floats = np.asarray(found, dtype=np.float64)
    return np.asarray(weights_N / weights_N.mean())


def _finished(codes_NM: Ints, targets: Sequence[Floats], weights_N: Floats) -> Floats:
    """Weights raked on until the shares fit, or for so many rounds."""
    for _ in range(MORE_ITERATIONS):
        if max(_gaps(codes_NM, targets, weights_N)) <= EXACT:
            break
        for codes, target in zip(codes_NM.T, targets, strict=True):
            sums = np.bincount(codes, weights=weights_N, minlength=len(target))
            factors = np.divide(target, sums, out=np.zeros_like(target), where=sums > 0)
            weights_N = weights_N * factors[codes]
    return np.asarray(weights_N / weights_N.mean())


def _gaps(codes_NM: Ints, targets: Sequence[Floats], weights_N: Floats) -> list[float]:
    """The largest distance of a weighted share from its target, by margin."""
    total = weights_N.sum()
    return [
        float(np.abs(np.bincount(codes, weights=weights_N, minlength=len(target)) / total - target).max())
        for codes, target in zip(codes_NM.T, targets, strict=True)
    ]
