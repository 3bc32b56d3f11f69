"""The evaluations of a run's models on the console: a column for each, and how the last differs from the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solon.evals.evaluation import name_of
from solon.evals.kept import Evaluation, Metric
from solon.evals.statistics import grouped
from solon.report import wording
from solon.text import printable

_CAPTION = "on the right the last model minus the first, item by item, with a 95% interval"


def print_evaluations(found: Sequence[Evaluation], console: Console) -> None:
    """Nothing without any."""
    if not found:
        return
    models = list(dict.fromkeys(one.model for one in found))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_CAPTION, caption_justify="left")
    table.add_column("evaluation")
    for model in ("n", *map(wording.model_title, models), "change"):
        table.add_column(Text(printable(model)), justify="right", no_wrap=True)
    for (name, temperature), own in grouped(found, lambda one: (one.name, one.temperature)).items():
        at = "" if temperature is None else f", temperature {temperature:g}"
        table.add_row(Text(printable(f"{name}{at}"), style="bold"))
        for row in _rows(own, models):
            table.add_row(*(Text(printable(cell)) for cell in row))
        table.add_section()
    console.print(table)
    for line in _left_out(found):
        console.print(Text(printable(line), style="dim"))


def _rows(found: Sequence[Evaluation], models: Sequence[str]) -> Iterator[list[str]]:
    by_model = {one.model: {it.name: it for it in one.metrics} for one in found}
    first, last = found[0].model, found[-1]
    for name in dict.fromkeys(it for own in by_model.values() for it in own):
        count = max(own[name].n for own in by_model.values() if name in own)
        cells = [_figure(by_model.get(model, {}).get(name)) for model in models]
        change = next((it for it in last.paired if it.name == name and it.against == first), None)
        yield [f"  {name}", str(count), *cells, _interval(change)]


def _left_out(found: Sequence[Evaluation]) -> Iterator[str]:
    for one in found:
        for reason, count in one.unscored.items():
            yield f"{name_of(one)}: {count} items without a value ({reason})"


def _figure(metric: Metric | None) -> str:
    return "" if metric is None else _number(metric.value)


def _interval(metric: Metric | None) -> str:
    if metric is None:
        return ""
    low, high = ("open" if end is None else _number(end, sign=True) for end in (metric.low, metric.high))
    return f"{_number(metric.value, sign=True)} [{low}, {high}]"


def _number(value: float, *, sign: bool = False) -> str:
    decimals = 0 if abs(value) >= 100 else 3
    return f"{value:+.{decimals}f}" if sign else f"{value:.{decimals}f}"
