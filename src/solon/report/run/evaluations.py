"""What evaluations found of a run's models: what `solon eval` kept in its folder, and what the run itself did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from solon.evals.evaluation import in_order
from solon.evals.kept import Evaluation, Metric, PairedMetric
from solon.evals.statistics import grouped
from solon.report.data import ReportData
from solon.report.evaluated import labels
from solon.report.wording import model_title

MOST = 40
"""Figures of an evaluation that the page shows for each of its files."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A figure, and whose it is."""

    model: str
    figure: Metric


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """All results of one evaluation at one temperature."""

    name: str
    rows: list[Row]
    changes: list[Row]
    """The last model of each two minus the other, item by item."""
    left_out: Mapping[str, Mapping[str, int]]
    """By file: what no figure counts."""
    beyond: int
    """Figures that the page leaves out."""


def evaluations(data: ReportData) -> list[Evaluated]:
    """In alphabetical order; figures of one name below each other, models in the order of the run."""
    by_name = grouped(in_order(data.evaluations).items(), lambda pair: (pair[1].name, pair[1].temperature))
    return [_evaluated(_title(*key), dict(found)) for key, found in by_name.items()]


def _title(name: str, temperature: float | None) -> str:
    return name if temperature is None else f"{name}, temperature {temperature:g}"


def _evaluated(name: str, own: Mapping[str, Evaluation]) -> Evaluated:
    called = labels(own)
    rows = [Row(model=called[file], figure=it) for file, one in own.items() for it in one.metrics[:MOST]]
    return Evaluated(
        name=name,
        rows=_together(rows),
        changes=_together(list(_changes(own, called))),
        left_out={file: one.unscored for file, one in own.items() if one.unscored},
        beyond=sum(max(len(one.metrics) - MOST, 0) for one in own.values()),
    )


def _changes(own: Mapping[str, Evaluation], called: Mapping[str, str]) -> Iterator[Row]:
    for file, one in own.items():
        for it in one.paired[:MOST]:
            yield Row(model=f"{called[file]} minus {model_title(it.against)}", figure=it)


def _together(rows: list[Row]) -> list[Row]:
    order = {name: place for place, name in enumerate(dict.fromkeys(row.figure.name for row in rows))}
    return sorted(rows, key=lambda row: order[row.figure.name])


def shown(value: float, *, sign: bool = False) -> str:
    """Example: 0.61 is "0.610", 1095.4 is "1,095"."""
    text = f"{value:{'+' if sign else ''},.{0 if abs(value) >= 100 else 3}f}"
    return text.replace("-", "\u2212")


def between(figure: Metric) -> str:
    """Example: "0.560 to 0.660"; empty without an interval."""
    if figure.low is None and figure.high is None:
        return ""
    low, high = ("open" if end is None else shown(end) for end in (figure.low, figure.high))
    return f"{low} to {high}"


def drawn(figure: Metric) -> bool:
    """Whether its interval can be drawn: a share, or a difference of shares."""
    least = -1.0 if isinstance(figure, PairedMetric) else 0.0
    return figure.low is not None and figure.high is not None and least <= figure.low <= figure.high <= 1.0
