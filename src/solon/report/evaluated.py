"""The evaluations of a run's models on the console: a column for each, and how the last differs from the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solon.evals.kept import Evaluation, Metric
from solon.evals.statistics import grouped
from solon.report import wording
from solon.text import printable

_CAPTION = "on the right the last model minus the first, item by item, with a 95% interval"


def labels(found: Mapping[str, Evaluation]) -> dict[str, str]:
    """What each result is called, by its file: by its model or, where that is not known or has another result of the
    same evaluation and temperature, by its file."""
    models = Counter((one.name, one.temperature, one.model) for one in found.values())
    alone = {name: one.model and models[one.name, one.temperature, one.model] == 1 for name, one in found.items()}
    return {name: wording.model_title(one.model) if alone[name] else name for name, one in found.items()}


def print_evaluations(found: Mapping[str, Evaluation], console: Console) -> None:
    """By the names of their files. Nothing without any."""
    if not found:
        return
    called = labels(found)
    columns = list(dict.fromkeys(called.values()))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_CAPTION, caption_justify="left")
    table.add_column("evaluation")
    for column in ("n", *columns, "change"):
        table.add_column(Text(printable(column)), justify="right", no_wrap=True)
    for (name, temperature), own in grouped(found.items(), lambda pair: (pair[1].name, pair[1].temperature)).items():
        at = "" if temperature is None else f", temperature {temperature:g}"
        table.add_row(Text(printable(f"{name}{at}"), style="bold"))
        for row in _rows({called[file]: one for file, one in own}, columns):
            table.add_row(*(Text(printable(cell)) for cell in row))
        table.add_section()
    console.print(table)
    for line in _left_out(found):
        console.print(Text(printable(line), style="dim"))


def _rows(found: Mapping[str, Evaluation], columns: Sequence[str]) -> Iterator[list[str]]:
    """found: by column."""
    figures = {column: {it.name: it for it in one.metrics} for column, one in found.items()}
    first, last = next(iter(found.values())).model, list(found.values())[-1]
    for name in dict.fromkeys(it for own in figures.values() for it in own):
        count = max(own[name].n for own in figures.values() if name in own)
        cells = [_figure(figures.get(column, {}).get(name)) for column in columns]
        change = next((it for it in last.paired if it.name == name and it.against == first), None)
        yield [f"  {name}", str(count), *cells, _interval(change)]


def _left_out(found: Mapping[str, Evaluation]) -> Iterator[str]:
    for file, one in found.items():
        for reason, count in one.unscored.items():
            yield f"{file}: {count} items without a value ({reason})"


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
