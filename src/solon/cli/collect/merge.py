"""`solon collect merge`: a walk through proposed merges."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def merge(
    file: Annotated[
        Path, typer.Argument(metavar="MERGES.toml", help="A file that `solon collect topics` wrote; edited in place.")
    ],
) -> None:
    """Decide, one by one, which statements say the same.

    Keys: y yes, n no, e edit (take statements out, or choose other words; that is a yes), s skip, q quit.
    Every answer is saved at once; the next walk goes on with what is open.

    \b
      [bold]solon collect merge merges.toml[/bold]
    """
    from solon.collective.principles.walk import Walk

    walk = Walk.through(file, _ask, typer.echo)
    try:
        walk.go()
    finally:
        typer.echo(f"\n{file}: {walk.answered} answered now, {walk.file.open} of {walk.file.total} open")


def _ask(question: str) -> str | None:
    """A line from standard input; None at its end."""
    typer.echo(question, nl=False)
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
