"""What the sections of the page show, worked out from the data so that the templates only place it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence

from solon.artifacts.manifest import Manifest
from solon.constitution.precedence import hard_constraints
from solon.evals.calibration import CalibrationBin
from solon.evals.checks import Check
from solon.evals.conflicts import Principles
from solon.evals.grader import REVISIONS, Measure
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Mean, Rate
from solon.evals.summary import Summary
from solon.report import wording
from solon.report.charts import NARROW, Chart, Mark, Point, ReliabilityChart, Series
from solon.report.data import ReportData
from solon.report.wording import kind_title, kinds_of, measures_of, ordered, term_title

PrincipleRow = tuple[str, str, int, int, Rate | None]
"""Id and title of a principle, how many revisions and comparisons it shaped, and how many of its labels are right."""


def revision_charts(summary: Summary) -> list[Chart]:
    """For each kind of prompt, the assistant's answers by the number of revisions behind them."""
    charts = []
    for kind in kinds_of(summary):
        lines = [_measure_line(measure, kind, summary) for measure in measures_of(kind, summary)]
        lines = [line for line in lines if line.points and line.style != "s-distinct"]
        if lines and len(lines[0].points) > 1:
            charts.append(
                Chart(
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


def rl_charts(summary: Summary) -> list[Chart]:
    """Reinforcement learning step by step."""
    if summary.rl is None:
        return []
    steps = summary.rl.steps

    def means(name: str, style: str, read: Callable[[RLStep], Mean]) -> Series:
        found = [(step.step, read(step)) for step in steps]
        points = [Point(x=x, y=mean.mean, low=mean.low, high=mean.high) for x, mean in found]
        return Series(name=name, style=style, points=points)

    def scores(kind: str) -> Series:
        points = [Point(x=s.step, y=s.score_by_kind[kind]) for s in steps if kind in s.score_by_kind]
        return Series(name=kind_title(kind), style=f"s-kind-{kind}", points=points)

    reward = means("Reward", "s-reward", lambda step: step.reward)
    kl = means("KL", "s-kl", lambda step: step.kl)
    kinds = [scores(kind) for kind in ordered(kind for step in steps for kind in step.score_by_kind)]
    spreads = [
        Series(
            name=name, style=style, points=[Point(x=s.step, y=y) for s in steps if (y := getattr(s, key)) is not None]
        )
        for name, style, key in (
            ("All answers", "s-reward", "score_spread"),
            ("Answers to one prompt", "s-kl", "score_spread_within"),
        )
    ]
    tokens = Series(name="Tokens", style="s-label", points=[Point(x=s.step, y=s.tokens) for s in steps])
    charts = (
        ("rl-reward", "Reward", "score minus KL penalty", [reward]),
        ("rl-kl", "Distance from SL-CAI", "KL, nats per answer", [kl]),
        ("rl-kinds", "Preference score by kind of request", "mean score", kinds),
        ("rl-spread", "Spread of the preference score", "standard deviation", [one for one in spreads if one.points]),
        ("rl-length", "Length of answers", "tokens", [tokens]),
    )

    def term(name: str) -> Series:
        return means(term_title(name), "s-reward", lambda step: step.terms[name])

    terms = (
        (f"rl-term-{number}", f"Reward: {term_title(name).lower()}", "mean, before its weight", [term(name)])
        for number, name in enumerate(steps[0].terms)
    )
    return [
        Chart(
            key=key, title=title, x_label="step", y_label=y, series=series, from_zero=key in ("rl-length", "rl-spread")
        )
        for key, title, y, series in (*charts, *terms)
        if series
    ]


def monitor_charts(summary: Summary) -> list[Chart]:
    """What the monitor of RL saw, with the places where its policy was best and where it was stopped."""
    if (monitor := summary.monitor) is None:
        return []
    checks, ending = monitor.checks, monitor.ending
    marks = [Mark(x=ending.best, name="best")]
    marks += [] if ending.stopped is None else [Mark(x=ending.stopped, name="stopped" if ending.acted else "parted")]

    def means(name: str, style: str, read: Callable[[Check], Mean]) -> list[Series]:
        found = [(check.step, read(check)) for check in checks]
        points = [Point(x=step, y=mean.mean, low=mean.low, high=mean.high) for step, mean in found]
        return [Series(name=name, style=style, points=points)]

    def shares(name: str, style: str, read: Callable[[Check], float | None]) -> list[Series]:
        points = [Point(x=check.step, y=share) for check in checks if (share := read(check)) is not None]
        return [Series(name=name, style=style, points=points)] if points else []

    drift = [
        *shares("Words of other answers", "s-malformed", lambda check: check.boilerplate),
        *shares("Commonest opening", "s-rude", lambda check: check.opening),
        *shares("Benign requests refused", "s-evasive", lambda check: check.evasion),
    ]
    gold, proxy = (means("Gold", "s-helpful", lambda c: c.gold), means("Reward", "s-harmful", lambda c: c.proxy))
    charts = (
        ("monitor-gold", "What the reward stands for", wording.GOLD_LABELS[monitor.gold], gold),
        ("monitor-proxy", "The reward of the same answers", "mean score", proxy),
        ("monitor-kl", "Distance from SL-CAI", "KL, nats per answer", means("KL", "s-kl", lambda c: c.kl)),
        ("monitor-drift", "Drift of the words", "share", drift),
    )
    return [
        Chart(
            key=key,
            title=title,
            x_label="steps made",
            y_label=y,
            series=series,
            marks=marks,
            percent=key == "monitor-drift" or (key == "monitor-gold" and monitor.gold != "model"),
        )
        for key, title, y, series in charts
    ]


def calibration_chart(summary: Summary) -> Chart | None:
    """None without ground truth."""
    if summary.labels is None or summary.labels.calibration is None:
        return None
    found = summary.labels.reliability
    bins = _wider(summary.labels.calibration.bins, found.plain.bins if found else ())
    return ReliabilityChart(key="calibration", title="Calibration of the AI's labels", series=_reliability(bins))


def _wider(wilson: Sequence[CalibrationBin], bootstrap: Sequence[CalibrationBin]) -> list[CalibrationBin]:
    """Each bin with the wider of its two intervals: a bootstrap has none where all are right, and Wilson's takes labels
    of one prompt for independent."""
    other = {one.low: one.accuracy for one in bootstrap}

    def widest(one: CalibrationBin) -> Rate:
        own, second = one.accuracy, other.get(one.low, one.accuracy)
        return Rate(rate=own.rate, low=min(own.low, second.low), high=max(own.high, second.high))

    return [one.model_copy(update={"accuracy": widest(one)}) for one in wilson]


def preference_charts(summary: Summary) -> list[Chart]:
    """Of the preference model: its probabilities against held-out labels, and against the truth where it is known."""
    model = summary.preference_model
    against = {
        "labels": ("share that labels prefer", "Preference model against held-out labels"),
        "truth": ("share that is right", "Preference model against the truth"),
    }
    return [
        ReliabilityChart(
            key=f"reliability-{standard}",
            title=title,
            axis_labels=("confidence of the preference model", right),
            series=_reliability(model.calibration[standard].plain.bins),
        )
        for standard, (right, title) in against.items()
        if model is not None and standard in model.calibration
    ]


def _reliability(bins: Sequence[CalibrationBin]) -> list[Series]:
    points = [Point(x=b.confidence, y=b.accuracy.rate, low=b.accuracy.low, high=b.accuracy.high, n=b.n) for b in bins]
    return [Series(name="right", style="s-label", points=points)]


CONSTITUTION_TITLES = {
    "given": "The run’s own",
    "blank": "None",
    "shuffled": "Its words in another order",
    "elsewhere": "About something else",
    "inverted": "The opposite",
}
"""What a judge was asked by, to see whether it reads."""


def conflicts(data: ReportData) -> Principles | None:
    """What principles say of the same pairs: of all, if a sample was put to them, or of those drawn."""
    return data.principles or (data.summary.labels.conflicts if data.summary.labels else None)


def principle_rows(data: ReportData) -> list[PrincipleRow]:
    """Those of the constitution in its order, then any other that a row names."""
    revisions = Counter(step.principle_id for row in data.revisions for step in row.rounds)
    comparisons = Counter(name for row in data.comparisons for name in row.principle_ids)
    kept = data.constitution
    titles = {p.id: p.title for p in kept.principles} if kept else {}
    others = {p.id: p.title for p in hard_constraints(kept)} if kept else {}
    quality = data.summary.labels.principles if data.summary.labels else {}
    return [
        (
            name,
            (others | titles).get(name, name),
            revisions[name],
            comparisons[name],
            quality[name].accuracy if name in quality else None,
        )
        for name in dict.fromkeys([*titles, *sorted(revisions), *sorted(comparisons)])
    ]


def version_rows(manifests: Sequence[Manifest]) -> list[tuple[str, str]]:
    """Every version that took part; several values mean that the run went on under another version."""
    found: dict[str, dict[str, None]] = {}
    for manifest in manifests:
        for name, version in manifest.versions.items():
            found.setdefault(name, {})[version] = None
    return [(name, ", ".join(versions)) for name, versions in found.items()]


def stage_facts(manifest: Manifest) -> list[tuple[str, str]]:
    """What a stage counted besides rows, and what it noted."""
    return [*((name, f"{n:,}") for name, n in manifest.counts.other.items()), *flatten(manifest.facts)]


def flatten(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested data as dotted names and text. Example: {"a": {"b": 1}} gives [("a.b", "1")]."""
    if isinstance(value, dict) and value:
        return [row for key, item in value.items() for row in flatten(item, f"{prefix}.{key}" if prefix else str(key))]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(prefix, text)] if prefix else []
