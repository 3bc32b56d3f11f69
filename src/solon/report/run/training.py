"""How a run got there: the assistant's answers by revision, and reinforcement learning step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ConfigDict

from solon.artifacts.shards import decode_rows
from solon.evals.grader import REVISIONS, Measure
from solon.evals.rollouts import RLStep
from solon.evals.statistics import Mean
from solon.evals.summary import Summary
from solon.records import Record
from solon.report.charts import NARROW, Chart, Point, Series
from solon.report.run.spread import spread
from solon.report.wording import kind_title, kinds_of, measures_of, ordered, term_title

MOST = 300
"""Steps that are drawn, evenly spread."""


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


class Step(Record):
    """What curves show of a line of `steps.jsonl`, whatever else it has; null are those of RL in other trainings."""

    model_config = ConfigDict(extra="ignore")

    step: int
    loss: float
    reward_mean: float | None = None
    """Without any penalty."""
    kl: float | None = None
    """In nats per answer."""


def read_steps(path: Path) -> list[Step]:
    """Those of a training that goes on or is finished; none without a file. A line that is being written is left out.

    Raises `RunError` for a line that is no step.
    """
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    return list(decode_rows([line for line in lines if line.endswith(b"\n")], Step, path))


def step_charts(stage: str, steps: Sequence[Step]) -> list[Chart]:
    """The curves of one training: its loss, or of RL, whose loss means little, reward and KL; of very many steps some.

    stage: its folder, e.g. `models/rl`.
    """
    shown = spread(steps, MOST)
    kinds: tuple[tuple[str, str, str, Callable[[Step], float | None]], ...] = (
        ("reward", "Reward", "mean, without any penalty", lambda one: one.reward_mean),
        ("kl", "Distance from SL-CAI", "KL, nats per answer", lambda one: one.kl),
    )
    if not any(one.reward_mean is not None for one in shown):
        kinds = (("loss", "Loss", "nats", lambda one: one.loss),)
    charts = []
    for name, title, y_label, read in kinds:
        points = [Point(x=one.step, y=y) for one in shown if (y := read(one)) is not None]
        line = Series(name=title, style="s-kl" if name == "kl" else "s-reward", points=points)
        key = f"{stage.replace('/', '-')}-{name}"
        charts.append(Chart(key=key, title=title, x_label="step", y_label=y_label, series=[line] if points else []))
    return [chart for chart in charts if chart.series]


def rl_charts(summary: Summary) -> list[Chart]:
    """Reinforcement learning step by step; of very many steps some."""
    if summary.rl is None:
        return []
    steps = spread(summary.rl.steps, MOST)

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
