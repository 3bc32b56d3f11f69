"""What the monitor of RL saw, where it stopped and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solon.evals.checks import Check
from solon.evals.statistics import Mean
from solon.evals.stopping import Ending
from solon.evals.summary import Summary
from solon.report import wording
from solon.report.charts import Chart, Mark, Point, Series
from solon.report.data import ReportData


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


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How RL ended, in words."""

    headline: str
    why: str


def ended(summary: Summary) -> Ended | None:
    """Where the monitor stopped RL and why, or that it did not; None without a monitor."""
    if (monitor := summary.monitor) is None:
        return None
    ending, last = monitor.ending, monitor.checks[-1].step
    kept = f"The weights are those after step {ending.kept}."
    if ending.stopped is None:
        return Ended(headline=f"Nothing stopped RL: it made its {last} steps.", why=kept)
    why = f"{str(ending.why)[:1].upper()}{str(ending.why)[1:]}. {kept}"
    if ending.acted:
        return Ended(headline=f"The monitor stopped RL after step {ending.stopped}.", why=why)
    return Ended(headline=f"The monitor would have stopped RL after step {ending.stopped}; it only watched.", why=why)


def early_stops(data: ReportData) -> list[tuple[str, str]]:
    """Of the other trainings that were looked at: the stage, and how it ended."""
    found = [(one.stage, one.facts["ending"]) for one in data.manifests if "ending" in one.facts]
    endings = [(stage, Ending.model_validate(ending)) for stage, ending in found if stage != "models/rl"]
    return [
        (stage, f"stopped after step {one.stopped}, {one.why}; the weights are those after step {one.kept}")
        if one.stopped is not None
        else (stage, f"made all its steps; the weights are those after step {one.kept}, the best that were looked at")
        for stage, one in endings
    ]
