"""Two runs side by side: what differs in what they were made from, and each figure with its difference and interval."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Literal

from solon.artifacts.manifest import Manifest
from solon.evals.statistics import Interval, leaves_out_zero, mean, paired_difference, unpaired_difference
from solon.records import Prompt, Record
from solon.report.compare.metrics import FINAL, Metric, Part, Unit, Value, metrics
from solon.report.data import ReportData, load_report_data
from solon.report.run.record import flatten, version_rows
from solon.text import without_secret


class RunName(Record):
    """One of the two runs."""

    folder: str
    name: str
    seed: int
    final: str | None
    """Its last model: `rl` or `dpo`."""


class InputDifference(Record):
    """A key of the run file, or something else that a run is made from, in which the two differ."""

    key: str
    first: str | None
    second: str | None
    """As JSON; null: it has none."""


class Figure(Record):
    """One figure of both runs. The difference is the second run's minus the first's."""

    part: Part
    name: str
    title: str
    model: str
    """Empty where it is of no model's answers; `final` where one run has RL-CAI and the other DPO-CAI."""
    kind: str
    unit: Unit
    better: Literal["lower", "higher", "neither"]
    first: Value
    second: Value
    difference: float | None
    """Null where one of the two is of nothing."""
    low: float | None
    high: float | None
    """Its 95% interval; null where a figure has none, and of a mean of one prompt or of equal differences."""
    paired: bool
    """By prompt."""
    n: int | None
    """Prompts that the difference is of, where it is paired."""
    left_out: int
    """Prompts that one run alone has a value for, which a paired difference is without."""
    same_data: bool
    """Both measure the same rows, and find the same: there is nothing to compare."""
    outside: bool | None
    """The interval does not hold 0."""
    outside_all: bool | None
    """Neither does one so wide that, of all the figures compared, none leaves out 0 by chance in 95 of 100 repetitions
    (Bonferroni)."""


class RunComparison(Record):
    """What `solon compare --json` prints."""

    format: Literal["solon-compare-1"] = "solon-compare-1"
    first: RunName
    second: RunName
    config: tuple[InputDifference, ...]
    inputs: tuple[InputDifference, ...]
    same_data: tuple[str, ...]
    """Stages whose data are equal, byte by byte."""
    other_data: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    """Figures that one run alone has."""
    figures: tuple[Figure, ...]
    compared: int
    """Figures with an interval."""
    outside: int
    outside_all: int
    by_chance: float
    """How many of `outside` would be expected if nothing differed: 5% of `compared`."""

    @property
    def noted(self) -> list[Figure]:
        """The figures that differ by more than noise, in their order."""
        return [figure for figure in self.figures if figure.outside]


def compare_runs(first: Path, second: Path, between: tuple[str, str] | None = None) -> RunComparison:
    """Raises `RunError` if a folder holds no finished run, or a file is not what it should be; `UserError` if no answer
    was measured by what `between` names."""
    names = (str(first), str(second))
    return compare(load_report_data(first), load_report_data(second), names=names, between=between)


def compare(
    first: ReportData, second: ReportData, *, names: tuple[str, str], between: tuple[str, str] | None = None
) -> RunComparison:
    """`names`: of their folders. `between`: two measures of which answers have one, e.g. `harmful` and `evasive`."""
    one, two = ({figure.key: figure for figure in metrics(data, between)} for data in (first, second))
    same, other = _data(first.manifests, second.manifests)
    asked = _asked_alike(first.prompts, second.prompts)
    laid = [_pair_of(one[key], two[key], asked, same) for key in one if key in two]
    count = sum(pair.gap is not None for pair in laid)
    figures = tuple(_figure(pair, among=count) for pair in laid)
    return RunComparison(
        first=_name(first, names[0]),
        second=_name(second, names[1]),
        config=tuple(_differing(_settings(first), _settings(second))),
        inputs=tuple(_differing(_made_from(first), _made_from(second))),
        same_data=same,
        other_data=other,
        only_first=tuple(_told(figure) for key, figure in one.items() if key not in two),
        only_second=tuple(_told(figure) for key, figure in two.items() if key not in one),
        figures=figures,
        compared=count,
        outside=sum(bool(figure.outside) for figure in figures),
        outside_all=sum(bool(figure.outside_all) for figure in figures),
        by_chance=round(0.05 * count, 2),
    )


# Differences of figures.


@dataclass(frozen=True, kw_only=True)
class _MetricPair:
    """One figure of both runs."""

    before: Metric
    after: Metric
    gap: Interval | None
    """After minus before; None without intervals or spread, and of the same data."""
    difference: float | None
    pairs: int = 0
    left_out: int = 0
    same_data: bool = False


def _pair_of(before: Metric, after: Metric, asked: frozenset[str], same: Sequence[str]) -> _MetricPair:
    """`asked`: prompts that are the same in both runs. Where they all are, figures are compared prompt by prompt.
    `same`: stages whose data are."""
    values = (before.value.value, after.value.value)
    apart = None if None in values else (values[1] or 0.0) - (values[0] or 0.0)
    if before.stage in same and before.value == after.value:
        return _MetricPair(before=before, after=after, gap=None, difference=apart, same_data=True)
    known = before.by_prompt.keys() & after.by_prompt.keys()
    either = before.by_prompt.keys() | after.by_prompt.keys()
    if known and either <= asked:
        each = [(after.by_prompt[name], before.by_prompt[name]) for name in before.by_prompt if name in known]
        gap = (_paired_rates if before.is_rate else _paired_means)(each)
        count, left = len(known), len(either) - len(known)
        return _MetricPair(before=before, after=after, gap=_wide(gap), difference=gap.value, pairs=count, left_out=left)
    one, two = _interval(before.value), _interval(after.value)
    independent = unpaired_difference(two, one) if one and two else None
    return _MetricPair(before=before, after=after, gap=independent, difference=apart)


def _paired_rates(values: Sequence[tuple[float, float]]) -> Interval:
    found = paired_difference([bool(after) for after, _ in values], [bool(before) for _, before in values])
    return Interval(value=found.value, low=found.low, high=found.high)


def _paired_means(values: Sequence[tuple[float, float]]) -> Interval:
    found = mean([after - before for after, before in values])
    return Interval(value=found.mean, low=found.low, high=found.high)


def _interval(value: Value) -> Interval | None:
    if value.value is None or value.low is None or value.high is None:
        return None
    return _wide(Interval(value=value.value, low=value.low, high=value.high))


def _wide(found: Interval) -> Interval | None:
    """None for one without a width, but for rounding: of a single number, or of equal ones, there is no spread to tell
    what is noise. A rate's always has a width."""
    return None if isclose(found.low, found.high, rel_tol=1e-9, abs_tol=1e-12) else found


def _figure(pair: _MetricPair, *, among: int) -> Figure:
    before, after, gap = pair.before, pair.after, pair.gap
    return Figure(
        part=before.part,
        name=before.name,
        title=before.title,
        model=before.model if before.model == after.model else FINAL,
        kind=before.kind,
        unit=before.unit,
        better=before.better,
        first=before.value,
        second=after.value,
        difference=pair.difference,
        low=gap.low if gap else None,
        high=gap.high if gap else None,
        paired=pair.pairs > 0,
        n=pair.pairs or None,
        left_out=pair.left_out,
        same_data=pair.same_data,
        outside=leaves_out_zero(gap) if gap else None,
        outside_all=leaves_out_zero(gap, among=among) if gap else None,
    )


# What the runs were made from.


def _asked_alike(first: Mapping[str, Prompt], second: Mapping[str, Prompt]) -> frozenset[str]:
    """Ids of the prompts that are the same in both."""
    same = (name for name in first.keys() & second.keys())
    return frozenset(
        name for name in same if (first[name].kind, first[name].turns) == (second[name].kind, second[name].turns)
    )


def _name(data: ReportData, folder: str) -> RunName:
    models = data.summary.models()
    final = next((model for model in ("rl", "dpo") if model in models), None)
    return RunName(folder=folder, name=data.summary.name, seed=data.summary.seed, final=final)


def _settings(data: ReportData) -> dict[str, str]:
    """Every key of the resolved run file; without what looks like a secret."""
    found = flatten(data.config.model_dump(mode="json")) if data.config else []
    return {key: without_secret(key, value) for key, value in found}


def _made_from(data: ReportData) -> dict[str, str]:
    """The constitution, the weights of models and other files, and versions."""
    found = {"constitution": data.constitution.sha256} if data.constitution else {}
    for manifest in data.manifests:
        outside = {name: sha256 for name, sha256 in manifest.inputs.items() if _is_file(name, data.manifests)}
        found |= outside
    return found | {f"version of {name}": version for name, version in version_rows(data.manifests)}


def _is_file(name: str, manifests: Sequence[Manifest]) -> bool:
    """Whether an input is none of the run's own stages."""
    stages = {manifest.stage.rpartition("/")[2] for manifest in manifests}
    return name.partition("/")[0] not in stages


def _differing(first: Mapping[str, str], second: Mapping[str, str]) -> Iterator[InputDifference]:
    for key in {**first, **second}:
        if first.get(key) != second.get(key):
            yield InputDifference(key=key, first=first.get(key), second=second.get(key))


def _data(first: Sequence[Manifest], second: Sequence[Manifest]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stages of both whose data are the same, and those whose are not."""
    one, two = ({manifest.stage: manifest.fingerprint for manifest in run} for run in (first, second))
    both = [stage for stage in one if stage in two]
    return tuple(s for s in both if one[s] == two[s]), tuple(s for s in both if one[s] != two[s])


def _told(figure: Metric) -> str:
    return ", ".join(filter(None, (figure.part, figure.model, figure.kind, figure.title)))
