"""What evaluations found of a run's models: what `solon eval` kept in its folder, and what the run itself did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from solon.evals.kept import Evaluation, Metric, PairedMetric
from solon.evals.statistics import grouped
from solon.report.data import ReportData
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
    """By model: what no figure counts."""
    beyond: int
    """Figures that the page leaves out."""


def evaluations(data: ReportData) -> list[Evaluated]:
    """In alphabetical order; figures of one name below each other, models in the order of the run."""
    own = sorted(data.evaluations.items(), key=lambda pair: (pair[1].name, pair[1].temperature or 0.0, _place(pair[1])))
    by_name = grouped(own, lambda pair: (pair[1].name, pair[1].temperature))
    return [_evaluated(_title(*key), dict(found)) for key, found in by_name.items()]


def _place(one: Evaluation) -> int:
    order = ("base", "sl", "rl", "dpo")
    return order.index(one.model) if one.model in order else len(order)


def _title(name: str, temperature: float | None) -> str:
    return name if temperature is None else f"{name}, temperature {temperature:g}"


def _evaluated(name: str, own: Mapping[str, Evaluation]) -> Evaluated:
    rows = [Row(model=_called(file, one), figure=it) for file, one in own.items() for it in one.metrics[:MOST]]
    return Evaluated(
        name=name,
        rows=_together(rows),
        changes=_together(list(_changes(own))),
        left_out={_called(file, one): one.unscored for file, one in own.items() if one.unscored},
        beyond=sum(max(len(one.metrics) - MOST, 0) for one in own.values()),
    )


def _called(file: str, one: Evaluation) -> str:
    return model_title(one.model) or file


def _changes(own: Mapping[str, Evaluation]) -> Iterator[Row]:
    for one in own.values():
        for it in one.paired[:MOST]:
            yield Row(model=f"{model_title(one.model)} minus {model_title(it.against)}", figure=it)


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
