"""The figures of one run, each under a key that the same figure of another run has too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal

from solon.errors import UserError
from solon.evals.estimates import Estimate
from solon.evals.grader import HELD_OUT, REVISIONS, Measure
from solon.evals.statistics import Mean, Rate, grouped, wilson
from solon.pipeline.stages import STAGES
from solon.records import Record
from solon.report.data import ReportData
from solon.report.wording import kinds_of, measures_of
from solon.text import did_you_mean, listed

Part = Literal["between", "held-out", "revisions", "labels", "preference model", "reinforcement", "texts", "cost"]
Unit = Literal["share", "number", "count", "seconds"]
FINAL = "final"
"""In keys: the last model of a run, RL-CAI or DPO-CAI."""


class Value(Record):
    """A figure, with its 95% interval if it has one."""

    value: float | None
    """None: it is of nothing, and `n` is 0."""
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """Of what it was measured on."""

    @classmethod
    def of(cls, found: Rate | Mean, n: int | None = None) -> Value:
        value, low, high = dict(found).values()
        return cls(value=value, low=low, high=high, n=n)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One figure of a run."""

    part: Part
    name: str
    title: str
    value: Value
    unit: Unit = "share"
    better: Literal["lower", "higher", "neither"] = "neither"
    model: str = ""
    kind: str = ""
    """Of prompts."""
    is_rate: bool = False
    by_prompt: Mapping[str, float] = field(default_factory=dict)
    """The values that it sums up, by the id of the prompt."""
    stage: str = ""
    """The folder of the stage whose data it measures."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.part, self.name, FINAL if self.model in ("rl", "dpo") else self.model, self.kind


def metrics(data: ReportData, between: tuple[str, str] | None = None) -> Iterator[Metric]:
    """All of a run's figures, as its report orders them; first of all, if wanted, which of two measures gave way."""
    if between:
        yield from _between(data, *between)
    yield from _answers(data)
    of_stages = {"comparisons": _labels, "models/pm": _preference, "models/rl": _reinforcement}
    for stage, part in of_stages.items():
        yield from (replace(figure, stage=stage) for figure in part(data))
    yield from _texts(data)
    yield from _cost(data)


def _between(data: ReportData, kept: str, broken: str) -> Iterator[Metric]:
    """Of the answers to held-out prompts that are one of two things and not both: how many are `broken`, so that what
    forbids `kept` was kept. Without a difference by prompt: the two runs break with one of the two on other prompts.
    """
    if kept == broken:
        raise UserError(f"`{kept}` is named twice", hint="name two measures of which an answer can have one alone")
    held_out = [row for row in data.scores if row.task == HELD_OUT and row.values]
    rows = [row for row in held_out if row.values and {kept, broken} <= row.values.keys()]
    if not rows:
        known = sorted({name for row in held_out for name in row.values or ()})
        unknown = [name for name in (kept, broken) if name not in known]
        hint = next(filter(None, (did_you_mean(name, known) for name in unknown)), f"known are {listed(known)}")
        raise UserError(f"no answer was measured as both `{kept}` and `{broken}`", hint=hint)
    for name in (kept, broken):
        if any(row.values and row.values[name] not in (0.0, 1.0) for row in rows):
            raise UserError(f"`{name}` is a number of each answer, no yes or no", hint="name a measure that is a share")
    for (kind, model), answers in grouped(rows, lambda row: (row.kind, row.model)).items():
        own = [row for row in answers if row.has(kept) != row.has(broken)]
        count = sum(row.has(broken) for row in own)
        yield Metric(
            part="between",
            name=f"{broken} not {kept}",
            title=f"{broken} rather than {kept}",
            value=Value.of(wilson(count, len(own)), len(own)) if own else Value(value=None, n=0),
            model=model,
            kind=kind,
            stage="scores",
        )


def _answers(data: ReportData) -> Iterator[Metric]:
    """Of the answers to held-out prompts, and of the assistant's after its last revision."""
    summary = data.summary
    scored = grouped(data.scores, lambda row: (row.task, row.model, row.kind, row.grader))
    tasks: dict[Part, list[str]] = {"held-out": summary.models(), "revisions": summary.models(REVISIONS)[-1:]}
    for (task, models), kind in product(tasks.items(), kinds_of(summary)):
        measures = [*measures_of(kind, summary), *measures_of(kind, summary, statistic="mean")]
        for measure, model in product(measures, models):
            for one in summary.of(task=task, kind=kind, measure=measure.name):
                if one.model == model and one.value is not None:
                    rows = scored.get((task, model, kind, one.grader), ())
                    known = ((row.item, row.values.get(measure.name)) for row in rows if row.values)
                    values = {item: value for item, value in known if value is not None}
                    yield _answer(task, measure, one, values)


def _answer(task: Part, measure: Measure, one: Estimate, by_prompt: Mapping[str, float]) -> Metric:
    assert one.value is not None
    return Metric(
        part=task,
        name=measure.name,
        title=measure.title,
        value=Value(value=one.value, low=one.low, high=one.high, n=one.n),
        unit="share" if measure.statistic == "rate" else "number",
        better=measure.better,
        model=one.model,
        kind=one.kind,
        stage=f"answers-{one.model}" if task == "held-out" else task,
        is_rate=measure.statistic == "rate",
        by_prompt=by_prompt,
    )


def _labels(data: ReportData) -> Iterator[Metric]:
    if (labels := data.summary.labels) is None:
        return
    part: Part = "labels"
    if labels.accuracy:
        value = Value.of(labels.accuracy, labels.decided)
        yield Metric(part=part, name="accuracy", title="Labels that are right", value=value, better="higher")
    if labels.ece is not None:
        value = Value(value=labels.ece)
        yield Metric(part=part, name="ece", title="Calibration error", value=value, unit="number", better="lower")
    if labels.n:
        value = Value.of(wilson(labels.unscored, labels.n), labels.n)
        yield Metric(part=part, name="unscored", title="Labels that were unreadable", value=value, better="lower")
    if labels.position:
        value = Value.of(labels.position.excess, labels.position.n)
        yield Metric(part=part, name="position", title="Favour for the answer shown first", value=value)


def _preference(data: ReportData) -> Iterator[Metric]:
    if (model := data.summary.preference_model) is None:
        return
    part: Part = "preference model"
    if model.accuracy:
        value = Value.of(model.accuracy, model.n - model.ties)
        yield Metric(part=part, name="accuracy", title="Prefers the better answer", value=value, better="higher")
    if model.label_accuracy:
        value = Value.of(model.label_accuracy, model.label_n)
        title = "Agrees with held-out labels"
        yield Metric(part=part, name="label_accuracy", title=title, value=value, better="higher")
    if model.label_loss is not None:
        value, title = Value(value=model.label_loss, n=model.label_n), "Loss on held-out labels, nats"
        yield Metric(part=part, name="label_loss", title=title, value=value, unit="number", better="lower")
    for standard, found in model.calibration.items():
        plain, title = found.plain.ece, f"Calibration error, against {standard}"
        value = Value(value=plain.value, low=plain.low, high=plain.high, n=found.n)
        yield Metric(part=part, name=f"ece.{standard}", title=title, value=value, unit="number", better="lower")
    for fault, own in model.by_fault.items():
        title = f"Notices the fault {fault} alone"
        value = Value.of(own.accuracy, own.n)
        yield Metric(part=part, name=f"by_fault.{fault}", title=title, value=value, better="higher")


def _reinforcement(data: ReportData) -> Iterator[Metric]:
    """At the end of RL; a step draws its own prompts."""
    part: Part = "reinforcement"
    if data.summary.rl is not None:
        last = data.summary.rl.steps[-1]
        for name, title, mean in (("reward", "Reward", last.reward), ("kl", "KL to SL-CAI, nats", last.kl)):
            title, value = f"{title}, last step", Value.of(mean, last.n)
            yield Metric(part=part, name=name, title=title, value=value, unit="number")
        value = Value(value=len(data.summary.rl.steps))
        yield Metric(part=part, name="steps", title="Steps", value=value, unit="count")
    if data.summary.monitor is not None:
        check = data.summary.monitor.checks[-1]
        for name, title, mean in (("gold", "Gold", check.gold), ("monitor_kl", "KL to SL-CAI, nats", check.kl)):
            title, value = f"{title}, last look of the monitor", Value.of(mean, len(check.gold_of))
            yield Metric(part=part, name=name, title=title, value=value, unit="number")


def _texts(data: ReportData) -> Iterator[Metric]:
    folders = {stage.name: stage.folder for stage in STAGES}
    for one in data.summary.texts:
        if one.written:
            yield Metric(
                part="texts",
                name=f"{one.stage}.{one.kind}",
                title=f"{one.stage}: {one.kind}s",
                value=Value.of(wilson(one.noise, one.written), one.written),
                better="lower",
                stage=folders[one.stage],
            )


def _cost(data: ReportData) -> Iterator[Metric]:
    """Figures without noise: what this run took on its machine."""

    def cost(name: str, title: str, value: float, unit: Unit) -> Metric:
        return Metric(part="cost", name=name, title=title, value=Value(value=value), unit=unit, better="lower")

    timings = {manifest.stage: manifest.timing for manifest in data.manifests}
    yield cost("seconds", "Time of all stages", data.summary.pipeline_seconds, "seconds")
    yield cost("tokens", "Tokens generated or trained on", sum(one.tokens for one in timings.values()), "count")
    if flops := sum(one.flops for one in timings.values()):
        yield cost("flops", "Operations of training", flops, "number")
    for name, count in sum((Counter(one.requests) for one in timings.values()), Counter[str]()).items():
        yield cost(f"requests.{name}", f"Requests to servers: {name}", count, "count")
    for stage, timing in timings.items():
        yield cost(f"seconds.{stage}", f"Time of {stage}", timing.seconds, "seconds")
