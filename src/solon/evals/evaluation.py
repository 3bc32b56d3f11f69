"""From outcomes to results: figures of models that were asked the same, and how they differ item by item.

Intervals are 95%: of rates and means, and of differences of rates, by `evals.statistics`; of ratios by a bootstrap over
what items are about, which draws the same for two models that are compared.

    G groups of items about the same   R resamples   M models (1 or 2)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from solon.config.evaluations import EVALUATED
from solon.evals.kept import Evaluation, Metric, PairedMetric
from solon.evals.statistics import Floats, grouped, mean, paired_difference, rate
from solon.evals.tasks import Outcome, Statistic

RESAMPLES = 1000


@dataclass(frozen=True, kw_only=True)
class _Column:
    """One measure's values of one model, by item."""

    values: Mapping[str, float]
    weights: Mapping[str, float]
    about: Mapping[str, str]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome], measure: str) -> _Column:
        known = [one for one in outcomes if measure in one.values]
        return cls(
            values={one.item: one.values[measure] for one in known},
            weights={one.item: one.weights.get(measure, 1.0) for one in known},
            about={one.item: one.about for one in known},
        )

    def clusters(self, items: Sequence[str]) -> list[Hashable] | None:
        """What items are about, where some share it."""
        found: list[Hashable] = [self.about[item] for item in items]
        return found if len(set(found)) < len(found) else None


def evaluations(
    outcomes: Mapping[str, Sequence[Outcome]], measures: Mapping[str, Statistic], *, seed: int
) -> Iterator[Evaluation]:
    """Of one task at one temperature, by model in the order of the run; each is compared with those before it, the
    nearest first. Of a model without any figure there is none."""
    models = list(outcomes)
    for place, model in enumerate(models):
        own = outcomes[model]
        columns = {name: _Column.of(own, name) for name in measures}
        before = [(other, name) for other in reversed(models[:place]) for name in measures]
        pairs = (_paired(name, measures[name], columns[name], outcomes[other], other, seed) for other, name in before)
        if metrics := [*filter(None, (_metric(name, measures[name], columns[name], seed) for name in measures))]:
            yield Evaluation(
                name=own[0].task,
                model=model,
                temperature=own[0].temperature,
                metrics=tuple(metrics),
                paired=tuple(filter(None, pairs)),
                unscored=dict(sorted(Counter(one.unscored for one in own if one.unscored).items())),
            )


def _metric(name: str, statistic: Statistic, column: _Column, seed: int) -> Metric | None:
    """None if no item has the measure."""
    items = list(column.values)
    if not items:
        return None
    values, clusters = list(column.values.values()), column.clusters(items)
    if statistic == "rate":
        value, low, high = dict(rate(values, clusters)).values()
    elif statistic == "mean":
        value, low, high = dict(mean(values, clusters)).values()
    elif (found := _ratio([column], items, statistic, seed)) is not None:
        value, low, high = found
    else:
        return None
    return Metric(name=name, value=value, low=low, high=high, n=len(items))


def _paired(
    name: str, statistic: Statistic, column: _Column, outcomes: Sequence[Outcome], other: str, seed: int
) -> PairedMetric | None:
    """Newcombe's interval of the difference of two rates, the normal one of mean differences, or a bootstrap."""
    theirs = _Column.of(outcomes, name)
    items = [item for item in column.values if item in theirs.values]
    if not items:
        return None
    clusters = column.clusters(items)
    one, two = ([of.values[item] for item in items] for of in (column, theirs))
    if statistic == "rate" and {*one, *two} <= {0.0, 1.0}:
        _, *found = dict(paired_difference([*map(bool, one)], [*map(bool, two)], clusters)).values()
    elif statistic in ("rate", "mean"):
        found = list(dict(mean([x - y for x, y in zip(one, two, strict=True)], clusters)).values())
    elif (ratios := _ratio([column, theirs], items, statistic, seed)) is not None:
        found = list(ratios)
    else:
        return None
    value, low, high = found
    return PairedMetric(name=name, against=other, value=value, low=low, high=high, n=len(items))


def _ratio(
    columns: Sequence[_Column], items: Sequence[str], statistic: Statistic, seed: int
) -> tuple[float, float | None, float | None] | None:
    """The sum of values by that of weights; of two columns, the first's minus the second's. The interval is the middle
    95% of resamples of groups; of one group alone there is none. None if weights add up to nothing."""
    groups = list(grouped(items, lambda item: columns[0].about[item]).values())
    sums_MG2 = np.array(
        [[[sum(of[item] for item in group) for of in (one.values, one.weights)] for group in groups] for one in columns]
    )
    drawn_RG = np.random.default_rng(seed).multinomial(len(groups), np.full(len(groups), 1 / len(groups)), RESAMPLES)
    value = float(_figures(sums_MG2.sum(axis=1)[:, None], statistic)[0])
    figures_R = _figures(np.einsum("rg,mgk->mrk", drawn_RG, sums_MG2), statistic)
    known_R = figures_R[np.isfinite(figures_R)]
    if not np.isfinite(value):
        return None
    if len(groups) == 1 or not known_R.size:
        return value, None, None
    low, high = np.quantile(known_R, [0.025, 0.975])
    return value, float(low), float(high)


def _figures(sums_MR2: Floats, statistic: Statistic) -> Floats:
    """[R] of one model, or the first's minus the second's."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio_MR = sums_MR2[..., 0] / sums_MR2[..., 1]
    figures_MR = np.exp(ratio_MR) if statistic == "perplexity" else ratio_MR
    found_R: Floats = figures_MR[0] if len(figures_MR) == 1 else figures_MR[0] - figures_MR[1]
    return found_R


def in_order(found: Mapping[str, Evaluation]) -> dict[str, Evaluation]:
    """By name, temperature and the order of a run's models. found: by the names of their files."""
    order: dict[str, int] = {name: place for place, name in enumerate(EVALUATED)}

    def key(one: Evaluation) -> tuple[str, float, int]:
        return one.name, -1.0 if one.temperature is None else one.temperature, order.get(one.model, len(order))

    return dict(sorted(found.items(), key=lambda pair: key(pair[1])))
