"""A comparison of two runs as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from solon.report.compare import words
from solon.report.compare.differences import Figure, InputDifference, RunComparison
from solon.text import excerpt, printable

_CAPTION = (
    f"shares in percent, their differences in points; * {words.DIFFERS}: the interval leaves out zero; "
    f"** {words.CLEARLY}"
)


def print_comparison(found: RunComparison, console: Console) -> None:
    """What differs in what they were made from, then figure by figure."""
    names = [printable(excerpt(run.folder, 40)) for run in (found.first, found.second)]
    console.print(Text(words.headline(found), style="bold"))
    console.print(Text(f"second minus first: {names[1]} minus {names[0]}", style="dim"))
    for title, rows in (("run file", found.config), ("made from", found.inputs)):
        console.print(_inputs(title, rows, names))
    console.print(_figures(found))
    for note in notes(found):
        console.print(Text(printable(note), style="dim"))


def notes(found: RunComparison) -> list[str]:
    """How to read the table."""
    noise = [words.multiplicity(found), words.ONE_SEED] if found.compared else []
    said = [*filter(None, [words.pairing(found)]), *noise]
    if found.same_data:
        said.append(f"Equal byte by byte: {', '.join(found.same_data)}.")
    for which, only in (("first", found.only_first), ("second", found.only_second)):
        if only:
            said.append(f"Only the {which} run has: {'; '.join(only[:5])}{_more(len(only) - 5)}.")
    return said


def _more(count: int) -> str:
    return f" and {count} more" if count > 0 else ""


def _inputs(title: str, rows: Sequence[InputDifference], names: Sequence[str]) -> Table | Text:
    if not rows:
        return Text(f"{title}: no difference")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in (title, *names):
        table.add_column(Text(column), overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(excerpt(text, 60))) for text in told(row)))
    return table


def told(row: InputDifference) -> tuple[str, str, str]:
    """A row of the table."""
    first, second = (words.NONE if value is None else value for value in (row.first, row.second))
    return row.key, first, second


def _figures(found: RunComparison) -> Table:
    """Figures of the same data are left to the notes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=_CAPTION, caption_justify="left")
    table.add_column("", max_width=34, overflow="fold")
    for name in ("first", "second", "difference (95%)"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for title, figures in words.sections(found).items():
        if rows := [one for one in figures if not one.same_data]:
            table.add_row(Text(printable(title), style="bold"))
            for one in rows:
                table.add_row(*(Text(text, style="bold" if one.outside else "") for text in _cells(one)))
            table.add_section()
    return table


def _cells(one: Figure) -> list[str]:
    values = [words.shown(value.value, one.unit) for value in (one.first, one.second)]
    stars = "*" * (bool(one.outside) + bool(one.outside_all))
    title = f"{one.title} ({words.pairs(one)})" if one.left_out else one.title
    return [f"  {printable(title)}", *values, words.difference(one), stars]
