"""How good the AI's labels and the preference model are, and whether the judge reads its constitution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.evals.calibration import CalibrationBin
from solon.evals.labels import Labels
from solon.evals.statistics import Mean, Rate, wilson
from solon.evals.summary import Summary
from solon.report.charts import Chart, Point, ReliabilityChart, Series

CONSTITUTION_TITLES = {
    "given": "The run’s own",
    "blank": "None",
    "shuffled": "Its words in another order",
    "elsewhere": "About something else",
    "inverted": "The opposite",
}
"""What a judge was asked by, to see whether it reads."""


def calibration_chart(summary: Summary) -> Chart | None:
    """None without ground truth."""
    if summary.labels is None or summary.labels.calibration is None:
        return None
    found = summary.labels.reliability
    bins = found.plain.bins if found else summary.labels.calibration.bins
    return ReliabilityChart(key="calibration", title="Calibration of the AI’s labels", series=_reliability(bins))


def _wider(one: CalibrationBin) -> Rate:
    """The wider of two intervals: a bootstrap has none where all are right, and Wilson's takes labels of one prompt for
    independent."""
    own, other = one.accuracy, wilson(one.accuracy.rate * one.n, one.n)
    return Rate(rate=own.rate, low=min(own.low, other.low), high=max(own.high, other.high))


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
    found = [(one, _wider(one)) for one in bins]
    points = [Point(x=b.confidence, y=rate.rate, low=rate.low, high=rate.high, n=b.n) for b, rate in found]
    return [Series(name="right", style="s-label", points=points)]


@dataclass(frozen=True, kw_only=True)
class Favor:
    """What labels favor besides what they are asked about, in points."""

    name: str
    n: int
    excess: Mean


def favors(labels: Labels) -> list[Favor]:
    """For a place, for length, and for the judge's own answers, where that is known."""
    known = {
        "the answer shown first": labels.position,
        "the longer answer": labels.length,
        "the judge’s own answer": labels.self_preference,
    }
    return [Favor(name=name, n=bias.n, excess=bias.excess) for name, bias in known.items() if bias is not None]
