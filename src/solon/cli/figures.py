"""`solon figures`: the experiments behind the paper's figures, on the testbed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from solon.artifacts.atomic import storage_errors
from solon.cli import interrupts
from solon.cli.faults import resumable_with
from solon.cli.run_options import Json, Quiet
from solon.progress import Reporter, json_line, reporting
from solon.text import printable

if TYPE_CHECKING:
    from solon.figures.experiment import Experiment
    from solon.figures.figure import Figure
    from solon.figures.make import Made
    from solon.figures.tasks import Place

MOST_SEEDS = 10


Keys = Annotated[list[str] | None, Argument(metavar="KEY", help="Which figures; without any, all.")]
Output = Annotated[Path, Option("--output", "-o", metavar="DIR", help="Where pictures, data and the page go.")]
Runs = Annotated[
    Path | None, Option(metavar="DIR", help="Where runs are made. Default: runs/NAME, by the name of the dose.")
]
Quick = Annotated[bool, Option("--quick", help="One seed and small doses: does it work? The figures say little.")]
Dose = Annotated[
    str | None, Option(metavar="RUN", help="A run file of yours that every run begins from, for another dose.")
]
Seeds = Annotated[
    int | None, Option(min=1, max=MOST_SEEDS, metavar="N", help="Seeds 0 to N - 1. Default: 3; with --quick 1.")
]
Models = Annotated[
    list[str] | None,
    Option(metavar="MODEL", help="A model of the world; repeatable. Default: that of the dose, or all that ship."),
]
Jobs = Annotated[int | None, Option(min=1, metavar="N", help="Commands at once. Default: a core each.")]
Dry = Annotated[bool, Option("--dry-run", help="Print the commands that are left to do, and do none.")]


def figures(
    keys: Keys = None,
    output: Output = Path("figures"),
    runs: Runs = None,
    quick: Quick = False,
    dose: Dose = None,
    seeds: Seeds = None,
    model: Models = None,
    jobs: Jobs = None,
    dry: Dry = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Reproduce the figures of the Constitutional AI paper on the testbed.

    \b
      [bold]solon figures[/bold]                  all
      [bold]solon figures 5 9[/bold]              some
      [bold]solon figures --quick -o quick[/bold] all, in small

    Keys are 2 to 12, as the paper's figures, labels, algorithms and over-training.

    Writes index.html, index.md, and a picture and its data for each figure. Runs are kept, and what figures share is
    made once: give the same command again, and it goes on where it stopped. What fails is told at the end; figures
    that do not need it are made.
    """
    from solon.figures.catalogue import chosen
    from solon.figures.make import Order, dose_of, ordered, require_folder, tasks_of

    asked = chosen(keys or [])
    place, missing = ordered(Order(dose=dose_of(dose, quick=quick), seeds=seeds, models=tuple(model or ()), runs=runs))
    if dry:
        for note in missing:
            typer.echo(note, err=True)
        for task in (task for task in tasks_of(asked, place) if not task.done):
            typer.echo(task.command)
        return
    require_folder(output, "-o")
    require_folder(place.runs, "--runs")
    with (
        resumable_with(place.runs, "give the same command again"),
        storage_errors(output),
        reporting(quiet=quiet, as_json=as_json, heed=interrupts.heed) as reporter,
    ):
        for note in missing:
            reporter.note(note)
        made = _made(asked, place, output, reporter, jobs)
        reporter.done()
    _tell(made.figures, output, as_json)
    made.require_all()


def _made(asked: Sequence[Experiment], place: Place, output: Path, reporter: Reporter, jobs: int | None) -> Made:
    """The figures; the commands that run at once share the cores."""
    from solon.figures.catalogue import EXPERIMENTS
    from solon.figures.make import make_figures

    cores = len(os.sched_getaffinity(0))
    at_once = jobs or cores
    order = [one.key for one in EXPERIMENTS]
    return make_figures(asked, place, output, order, reporter, jobs=at_once, threads=max(1, cores // at_once))


def _tell(made: Sequence[Figure], output: Path, as_json: bool) -> None:
    from solon.figures.page import INDEX
    from solon.figures.words import name

    if as_json:
        for one in made:
            typer.echo(json_line("figure", {"key": one.key, "outcome": one.outcome, "ours": one.ours}))
        return
    for one in made:
        typer.echo(f"{name(one)}: {one.outcome}")
    typer.echo(f"\n{printable(str(output / INDEX))}")
