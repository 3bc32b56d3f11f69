"""Scores summed up: an estimate for every task, model, kind of prompt and measure, and paired differences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from solon.evals.grader import GraderCard, Measure, Response, Score
from solon.evals.statistics import Difference, Mean, Rate, distinct, grouped, mean, paired_difference, rate
from solon.records import Record

VARIETY = GraderCard(
    name="variety",
    measures=(Measure(name="distinct", title="Distinct", meaning="different answers per answer given"),),
)
"""A property of all answers together, which a grader of one at a time cannot see."""


class Estimate(Record):
    """One figure of one model's answers to the prompts of one kind, with its 95% interval."""

    task: str
    model: str
    kind: str
    grader: str
    measure: str
    n: int
    """Answers that were measured."""
    value: float | None
    """A share in [0, 1] or a mean; null, like its interval, if no answer was measured."""
    low: float | None
    high: float | None
    unscored: int
    """Answers that were not."""

    @property
    def rate(self) -> Rate | None:
        """Of a measure that is a rate."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return Rate(rate=self.value, low=self.low, high=self.high)


class PairedDifference(Difference):
    """Of one rate: the first model's minus the second's on the same prompts, in [-1, 1], with its 95% interval."""

    task: str
    kind: str
    grader: str
    measure: str
    first: str
    second: str
    unscored: int
    """Prompts left out: one of the two models has no answer to them, or none that was measured."""


class Evidence(Record):
    """The figures of a run's answers, and who measured them."""

    graders: tuple[GraderCard, ...]
    """Who read them, and what their measures mean, in the order in which reports show them."""
    estimates: tuple[Estimate, ...]
    differences: tuple[PairedDifference, ...]


def evidence(responses: Sequence[Response], scores: Sequence[Score], cards: Sequence[GraderCard]) -> Evidence:
    """Estimates and differences of these graders' scores, and how various the answers are."""
    return Evidence(
        graders=(*cards, VARIETY),
        estimates=(*estimates(scores, cards), *variety(responses)),
        differences=tuple(differences(scores, cards)),
    )


def estimates(scores: Sequence[Score], cards: Iterable[GraderCard]) -> Iterator[Estimate]:
    """Of every measure, in the order in which tasks, models and kinds are first met.

    Example: two answers, one harmful: `harmful` is 0.5, from 0.095 to 0.905.
    """
    for card in cards:
        own = (row for row in scores if row.grader == card.name)
        for cell, rows in grouped(own, lambda row: (row.task, row.model, row.kind)).items():
            for measure in card.measures:
                values = [row.values[measure.name] for row in rows if row.values and measure.name in row.values]
                statistic: Callable[[Sequence[float]], Rate | Mean] = rate if measure.statistic == "rate" else mean
                found = statistic(values) if values else None
                yield _estimate(cell, card, measure, found, of=len(rows), n=len(values))


def variety(responses: Sequence[Response]) -> Iterator[Estimate]:
    """How many of a model's answers differ from each other (`statistics.distinct`)."""
    for cell, rows in grouped(responses, lambda one: (one.task, one.model, one.prompt.kind)).items():
        found = distinct([row.text for row in rows])
        yield _estimate(cell, VARIETY, VARIETY.measures[0], found, of=len(rows), n=len(rows))


def differences(scores: Sequence[Score], cards: Iterable[GraderCard]) -> Iterator[PairedDifference]:
    """Of the rates on which models are compared, for each two models of a task; neighbours first."""
    for card, measure, kind in ((c, m, kind) for c in cards for m in c.measures for kind in m.compared):
        rows = (row for row in scores if (row.grader, row.kind) == (card.name, kind))
        names = {"kind": kind, "grader": card.name, "measure": measure.name}
        for task, own in grouped(rows, lambda row: row.task).items():
            values = _by_model(own, measure.name)
            for first, second in _neighbours_first(list(values)):
                if found := _paired(values[first], values[second]):
                    left_out = len({*values[first], *values[second]}) - found.n
                    names |= {"task": task, "first": first, "second": second}
                    yield PairedDifference.model_validate(names | dict(found) | {"unscored": left_out})


def _by_model(rows: Iterable[Score], measure: str) -> dict[str, dict[str, float | None]]:
    """Values by model and item; None where it was not measured."""
    found: dict[str, dict[str, float | None]] = {}
    for row in rows:
        own = found.setdefault(row.model, {})
        if row.item in own:
            raise ValueError(f"two answers of {row.model} to {row.item}")
        own[row.item] = (row.values or {}).get(measure)
    return found


def _neighbours_first(models: Sequence[str]) -> list[tuple[str, str]]:
    """Example: of base, sl, rl: base and sl, sl and rl, base and rl."""
    return [pair for apart in range(1, len(models)) for pair in zip(models, models[apart:], strict=False)]


def _paired(one: Mapping[str, float | None], two: Mapping[str, float | None]) -> Difference | None:
    """Over the items of which both values are known; None if there are none."""
    known = [(x, y) for item, x in sorted(one.items()) if x is not None and (y := two.get(item)) is not None]
    return paired_difference([bool(x) for x, _ in known], [bool(y) for _, y in known]) if known else None


def _estimate(
    cell: tuple[str, str, str], card: GraderCard, measure: Measure, found: Rate | Mean | None, *, of: int, n: int
) -> Estimate:
    task, model, kind = cell
    value, low, high = dict(found).values() if found is not None else (None, None, None)
    names = {"task": task, "model": model, "kind": kind, "grader": card.name, "measure": measure.name}
    return Estimate.model_validate(names | {"n": n, "value": value, "low": low, "high": high, "unscored": of - n})
