"""Options that several commands of `solon collect` share, so that each has one name and one meaning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Argument, Option

MethodName = Literal["polis", "ccai"]
Spoken = Literal["en", "de", "fr", "es", "zh"]
"""Languages that topics and merges know, as `principles/templates/languages.toml` has them."""

Folder = Annotated[Path, Argument(metavar="DIR", help="A Polis export, or a folder that `solon collect import` wrote.")]
OutFolder = Annotated[Path, Option("-o", "--output", metavar="OUT", help="The folder to write.")]
OutTable = Annotated[Path, Option("-o", "--output", metavar="OUT.csv", help="The table to write.")]
Groups = Annotated[
    str,
    Option(
        metavar="FILE",
        help="Find the groups (found), take those of the export (exported), or read a table `participant`, `group`.",
    ),
]
K = Annotated[int | None, Option(min=1, help="Find this many groups. Default: the number that most tries choose.")]
Method = Annotated[MethodName, Option(help="Find groups as Polis does, or as the CCAI study did.")]
Seed = Annotated[int, Option(min=0, help="Seed of the random starts and draws.")]
Stability = Annotated[bool, Option(help="Measure how far to trust the groups.")]
NoSmoothing = Annotated[
    bool, Option("--no-smoothing", help="Use agrees / votes, as the CCAI study did, not (agrees+1) / (votes+2).")
]
Unmoderated = Annotated[bool, Option("--include-unmoderated", help="Include statements that no moderator decided on.")]
Force = Annotated[bool, Option("--force", help="Overwrite what is there.")]


def only_found_have_k(groups: str, k: int | None) -> None:
    """Raises a usage error where a number is asked of groups that are given."""
    if groups != "found" and k is not None:
        raise typer.BadParameter("--k is for groups that are to be found; leave it out beside --groups")


def say(lines: Iterable[str], *, err: bool = False) -> None:
    """Prints lines that are not empty."""
    for line in filter(None, lines):
        typer.echo(line, err=err)
