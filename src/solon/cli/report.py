"""`solon report`: the page and the table of a finished run, made anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.running import print_result


def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")]) -> None:
    """Write a run's report.html anew and print its result.

    \b
      [bold]solon report runs/demo[/bold]
    """
    from solon.artifacts.finished import RUN
    from solon.errors import RunError
    from solon.report.html import write_report

    if not (folder / RUN).is_file():
        raise RunError(f"{folder} holds no run", hint=f"begin one with `solon run -o {folder}`")
    write_report(folder)
    print_result(folder)
