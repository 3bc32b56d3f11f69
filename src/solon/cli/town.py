"""`solon town`: from votes to a model, with a public that is known."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from solon.artifacts.atomic import storage_errors
from solon.artifacts.lock import FolderLock
from solon.cli import interrupts
from solon.cli.faults import resumable_with
from solon.cli.run_options import Json, Quiet
from solon.cli.serve import require_site
from solon.progress import json_line, reporting
from solon.text import printable

if TYPE_CHECKING:
    from solon.town.make import Made

MOST_SEEDS = 10


def town(
    output: Annotated[Path, Option("--output", "-o", metavar="DIR", help="Where everything goes.")] = Path("runs/town"),
    seeds: Annotated[
        int | None, Option(min=1, max=MOST_SEEDS, metavar="N", help="Seeds 0 to N - 1. Default: 3; with --quick 1.")
    ] = None,
    quick: Annotated[bool, Option("--quick", help="One seed and a small dose: does it work?")] = False,
    jobs: Annotated[int | None, Option(min=1, metavar="N", help="Runs at once. Default: a core each.")] = None,
    show: Annotated[bool, Option(help="Open the page at the end, where there is a display.")] = True,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Let a simulated public vote, and train a model on what it agrees on.

    \b
      [bold]solon town[/bold]
      [bold]solon town --quick[/bold]     in small

    A public whose districts disagree in a known way votes through a real site, over HTTP. Its export becomes a
    constitution. Two models are trained, one by it and one by a standard constitution, everything else the same. The
    same people compare them blindly. The page says what moved, and what they say. Give the same command again, and it
    goes on where it stopped.
    """
    require_site()
    from solon.figures.make import require_folder
    from solon.town.make import Order, make_town
    from solon.town.public import the_public
    from solon.town.train import FULL, QUICK, SEEDS

    dose, cores = QUICK if quick else FULL, len(os.sched_getaffinity(0))
    at_once = jobs or cores
    order = Order(
        folder=output,
        dose=dose,
        seeds=seeds or SEEDS[dose],
        public=the_public(),
        jobs=at_once,
        threads=max(1, cores // at_once),
    )
    require_folder(output, "-o")
    lock = FolderLock(output)
    try:
        with (
            resumable_with(output, "give the same command again"),
            storage_errors(output),
            reporting(quiet=quiet, as_json=as_json, heed=interrupts.heed) as reporter,
        ):
            made = make_town(order, reporter)
            reporter.done()
    finally:
        lock.release()
    _tell(made, as_json)
    if show and not as_json and _has_display():
        webbrowser.open(made.page.absolute().as_uri())


def _tell(made: Made, as_json: bool) -> None:
    from solon.town.page import headline, sentences

    if as_json:
        also = {"judged": made.judged.model_dump(mode="json"), "page": str(made.page)}
        typer.echo(json_line("town", made.comparison.model_dump(mode="json") | also))
        return
    said = (headline(made.comparison), *sentences(made.comparison))
    for line in (*said, made.trace, made.serve, "", str(made.page)):
        typer.echo(printable(line))


def _has_display() -> bool:
    """Whether a page can be opened for whoever sits there."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
