"""What each section of the page says, worked out from the data so that the templates only place it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solon.artifacts.manifest import Manifest
from solon.evals.grader import REVISIONS, Measure
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Mean, Rate
from solon.evals.summary import Summary
from solon.report.charts import NARROW, Chart, Point, Series, line_chart, reliability_chart
from solon.report.data import ReportData
from solon.report.wording import (
    kind_title,
    kinds_of,
    measures_of,
    ordered,
)

SHOWN_VERSIONS = ("solon", "solon_source", "python")


@dataclass(frozen=True, kw_only=True)
class PrincipleRow:
    """One principle and what it did in this run."""

    id: str
    title: str
    revisions: int
    comparisons: int
    accuracy: Rate | None


@dataclass(frozen=True, kw_only=True)
class StageRow:
    """One stage's manifest, as facts to print."""

    name: str
    rows: str
    dropped: str
    seconds: float
    tokens: int
    fingerprint: str
    inputs: Sequence[tuple[str, str]]
    facts: Sequence[tuple[str, str]]
    deviations: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Sections:
    """Everything the template places."""

    revision_charts: Sequence[Chart]
    rl_charts: Sequence[Chart]
    calibration: Chart | None
    principles: Sequence[PrincipleRow]
    stages: Sequence[StageRow]
    versions: Sequence[tuple[str, str]]
    config: Sequence[tuple[str, str]]


def sections_of(data: ReportData) -> Sections:
    """All sections of one report."""
    summary = data.summary
    return Sections(
        revision_charts=_revision_charts(summary),
        rl_charts=_rl_charts(summary.rl.steps) if summary.rl else [],
        calibration=_calibration(summary),
        principles=_principles(data),
        stages=[_stage(manifest) for manifest in data.manifests],
        versions=_versions(data.manifests),
        config=flatten(data.config.model_dump(mode="json")) if data.config else [],
    )


def _revision_charts(summary: Summary) -> list[Chart]:
    charts = []
    for kind in kinds_of(summary):
        lines = [_measure_line(measure, kind, summary) for measure in measures_of(kind, summary)]
        lines = [line for line in lines if line.points and line.style != "s-distinct"]
        if lines and len(lines[0].points) > 1:
            charts.append(
                line_chart(
                    key=f"revisions-{kind}",
                    title=f"{kind_title(kind)}, by revision",
                    x_label="revisions behind the answer",
                    y_label="share of answers",
                    series=lines,
                    percent=True,
                    width=NARROW,
                )
            )
    return charts


def _measure_line(measure: Measure, kind: str, summary: Summary) -> Series:
    points = [
        Point(x=int(one.model.rpartition("@")[2]), y=rate.rate, low=rate.low, high=rate.high, n=one.n)
        for one in summary.of(task=REVISIONS, kind=kind, measure=measure.name)
        if (rate := one.rate) is not None
    ]
    return Series(name=measure.title, style=f"s-{measure.name}", points=points)


def _rl_charts(steps: Sequence[RLStep]) -> list[Chart]:
    def means(name: str, style: str, read: Callable[[RLStep], Mean]) -> Series:
        found = [(step.step, read(step)) for step in steps]
        points = [Point(x=x, y=mean.mean, low=mean.low, high=mean.high) for x, mean in found]
        return Series(name=name, style=style, points=points)

    kinds = ordered(kind for step in steps for kind in step.score_by_kind)
    by_kind = [
        Series(
            name=kind_title(kind),
            style=f"s-kind-{kind}",
            points=[Point(x=s.step, y=s.score_by_kind[kind]) for s in steps if kind in s.score_by_kind],
        )
        for kind in kinds
    ]
    length = Series(name="Tokens", style="s-label", points=[Point(x=s.step, y=s.tokens) for s in steps])
    reward = means("Reward", "s-reward", lambda step: step.reward)
    kl = means("KL", "s-kl", lambda step: step.kl)
    step = "step"
    charts = [
        line_chart(key="rl-reward", title="Reward", x_label=step, y_label="score minus KL penalty", series=[reward]),
        line_chart(key="rl-kl", title="Distance from SL-CAI", x_label=step, y_label="KL, nats per answer", series=[kl]),
    ]
    if by_kind:
        title = "Preference score by kind of request"
        charts.append(line_chart(key="rl-kinds", title=title, x_label=step, y_label="mean score", series=by_kind))
    title = "Length of answers"
    charts.append(
        line_chart(key="rl-length", title=title, x_label=step, y_label="tokens", series=[length], from_zero=True)
    )
    return charts


def _calibration(summary: Summary) -> Chart | None:
    if summary.labels is None or summary.labels.calibration is None:
        return None
    points = [
        Point(x=b.confidence, y=b.accuracy.rate, low=b.accuracy.low, high=b.accuracy.high, n=b.n)
        for b in summary.labels.calibration.bins
    ]
    return reliability_chart(key="calibration", title="Calibration of the AI's labels", points=points)


def _principles(data: ReportData) -> list[PrincipleRow]:
    revisions = Counter(step.principle_id for row in data.revisions for step in row.rounds)
    comparisons = Counter(row.principle_id for row in data.comparisons if row.principle_id is not None)
    titles = {p.id: p.title for p in data.constitution.principles} if data.constitution else {}
    quality = data.summary.labels.principles if data.summary.labels else {}
    return [
        PrincipleRow(
            id=name,
            title=titles.get(name, name),
            revisions=revisions[name],
            comparisons=comparisons[name],
            accuracy=quality[name].accuracy if name in quality else None,
        )
        for name in dict.fromkeys([*titles, *sorted(revisions), *sorted(comparisons)])
    ]


def _stage(manifest: Manifest) -> StageRow:
    counts = manifest.counts
    return StageRow(
        name=manifest.stage,
        rows=f"{counts.rows_in:,} in, {counts.rows_out:,} out" if counts.rows_in or counts.rows_out else "\u2013",
        dropped=", ".join(f"{n:,} {reason}" for reason, n in counts.dropped.items()) or "none",
        seconds=manifest.timing.seconds,
        tokens=manifest.timing.tokens,
        fingerprint=manifest.fingerprint,
        inputs=sorted(manifest.inputs.items()),
        facts=[*((name, f"{n:,}") for name, n in counts.other.items()), *flatten(manifest.facts)],
        deviations=manifest.deviations,
    )


def _versions(manifests: Sequence[Manifest]) -> list[tuple[str, str]]:
    """Every version that took part; several values mean that the run went on under another version."""
    found: dict[str, list[str]] = {}
    for manifest in manifests:
        for name, version in manifest.versions.items():
            known = found.setdefault(name, [])
            if version not in known:
                known.append(version)
    return [(name, ", ".join(values)) for name, values in found.items()]


def flatten(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested data as dotted names and text. Example: {"a": {"b": 1}} gives [("a.b", "1")]."""
    if isinstance(value, dict) and value:
        return [row for key, item in value.items() for row in flatten(item, f"{prefix}.{key}" if prefix else str(key))]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(prefix, text)] if prefix else []
