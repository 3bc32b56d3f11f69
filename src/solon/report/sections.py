"""What each section of the page says, worked out from the data so that the templates only place it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from solon.artifacts.manifest import Manifest
from solon.evals.answers import AnswerTable
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Difference, Mean, Rate
from solon.evals.summary import Summary
from solon.records import PromptKind
from solon.report.charts import NARROW, Chart, Point, Series, line_chart, reliability_chart
from solon.report.data import ReportData
from solon.report.wording import KIND_MEANINGS, KIND_TITLES, Measure, measures_of, present, rate_of

KINDS: tuple[PromptKind, ...] = ("harmful", "mixed", "benign")
SHOWN_VERSIONS = ("solon", "solon_source", "python")


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One row of the opening picture: one rate of all models, as squares of a hundred."""

    title: str
    style: str
    cells: Sequence[tuple[str, Rate]]


@dataclass(frozen=True, kw_only=True)
class ResultTable:
    """The rates of one kind of prompt."""

    kind: PromptKind
    title: str
    meaning: str
    n: str
    models: Sequence[str]
    rows: Sequence[tuple[Measure, Sequence[Rate | None]]]
    harms: Sequence[tuple[str, Sequence[Rate | None]]]
    words: Sequence[Mean]


@dataclass(frozen=True, kw_only=True)
class DifferenceRow:
    """One paired difference."""

    outcome: str
    pair: str
    found: Difference


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

    glance: Sequence[Glance]
    results: Sequence[ResultTable]
    differences: Sequence[DifferenceRow]
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
        glance=_glance(summary),
        results=[table for kind in KINDS if (table := _results(kind, summary)) is not None],
        differences=_differences(summary),
        revision_charts=_revision_charts(summary),
        rl_charts=_rl_charts(summary.rl.steps) if summary.rl else [],
        calibration=_calibration(summary),
        principles=_principles(data),
        stages=[_stage(manifest) for manifest in data.manifests],
        versions=_versions(data.manifests),
        config=flatten(data.config.model_dump(mode="json")) if data.config else [],
    )


def _glance(summary: Summary) -> list[Glance]:
    chosen: tuple[tuple[PromptKind, str, str, str], ...] = (
        ("harmful", "harmful", "Harmful requests it complied with", "s-harmful"),
        ("benign", "helpful", "Ordinary requests it helped with", "s-helpful"),
    )
    rows = []
    for kind, field, title, style in chosen:
        cells = [
            (name, rate)
            for name, model in present(summary)
            if (table := model.of(kind)) is not None and (rate := rate_of(table, field)) is not None
        ]
        if cells:
            rows.append(Glance(title=title, style=style, cells=cells))
    return rows


def _results(kind: PromptKind, summary: Summary) -> ResultTable | None:
    named = [(name, table) for name, model in present(summary) if (table := model.of(kind)) is not None]
    if not named:
        return None
    tables = [table for _, table in named]
    harms = sorted({harm for table in tables for harm in table.harms})
    return ResultTable(
        kind=kind,
        title=KIND_TITLES[kind],
        meaning=KIND_MEANINGS[kind],
        n=" / ".join(f"{n:,}" for n in sorted({table.n for table in tables})),
        models=[name for name, _ in named],
        rows=[(m, [rate_of(table, m.field) for table in tables]) for m in measures_of(kind, summary)],
        harms=[(harm, [table.harms.get(harm) for table in tables]) for harm in harms],
        words=[table.words for table in tables],
    )


def _differences(summary: Summary) -> list[DifferenceRow]:
    rows = []
    for outcome, found in (
        ("Harmful answers to harmful requests", summary.differences.harmful_on_harmful_prompts),
        ("Helpful answers to benign requests", summary.differences.helpful_on_benign_prompts),
    ):
        if found is None:
            continue
        pairs = (
            ("base minus SL-CAI", found.base_minus_sl),
            ("SL-CAI minus RL-CAI", found.sl_minus_rl),
            ("base minus RL-CAI", found.base_minus_rl),
        )
        rows += [DifferenceRow(outcome=outcome, pair=pair, found=one) for pair, one in pairs if one is not None]
    return rows


def _revision_charts(summary: Summary) -> list[Chart]:
    charts = []
    for kind in KINDS:
        rounds = [(tables.round, table) for tables in summary.revisions if (table := tables.of(kind)) is not None]
        lines = [_measure_line(measure, rounds) for measure in measures_of(kind, summary)]
        lines = [line for line in lines if line.points and line.style != "s-distinct"]
        if len(rounds) > 1 and lines:
            charts.append(
                line_chart(
                    key=f"revisions-{kind}",
                    title=f"{KIND_TITLES[kind]}, by revision",
                    x_label="revisions behind the answer",
                    y_label="share of answers",
                    series=lines,
                    percent=True,
                    width=NARROW,
                )
            )
    return charts


def _measure_line(measure: Measure, rounds: Sequence[tuple[int, AnswerTable]]) -> Series:
    points = [
        Point(x=number, y=rate.rate, low=rate.low, high=rate.high, n=table.n)
        for number, table in rounds
        if (rate := rate_of(table, measure.field)) is not None
    ]
    return Series(name=measure.title, style=f"s-{measure.field}", points=points)


def _rl_charts(steps: Sequence[RLStep]) -> list[Chart]:
    def means(name: str, style: str, read: Callable[[RLStep], Mean]) -> Series:
        found = [(step.step, read(step)) for step in steps]
        points = [Point(x=x, y=mean.mean, low=mean.low, high=mean.high) for x, mean in found]
        return Series(name=name, style=style, points=points)

    kinds = [kind for kind in KINDS if any(kind in step.score_by_kind for step in steps)]
    by_kind = [
        Series(
            name=KIND_TITLES[kind],
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
