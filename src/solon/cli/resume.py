"""`solon resume`: go on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.run_options import WorkOptions, with_options
from solon.cli.running import carry_on, found


@with_options
def resume(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The run folder.")], work: WorkOptions) -> None:
    """Go on with a run that was stopped.

    It continues where it stopped and ends with the same bytes as if it never had been.

    \b
      [bold]solon resume runs/demo[/bold]
    """
    carry_on(found(folder), work)
