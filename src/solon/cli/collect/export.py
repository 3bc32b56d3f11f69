"""`solon collect export`: an imported conversation in the layout of a Polis export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect.options import FOLDER


def export(
    folder: Annotated[Path, FOLDER],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Folder to write the export to.")],
    organiser: Annotated[
        bool, typer.Option("--organiser", help="Keep ids, authors and exact times. Not for publication.")
    ] = False,
    authors: Annotated[
        bool, typer.Option("--authors", help="Keep who wrote what, under the new ids. Only if they consented.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Of the new participant ids. Default: a new one each time.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an export written before.")] = False,
) -> None:
    """Export a conversation in Polis's layout: comments.csv, votes.csv, participants-votes.csv, summary.csv.

    The public version gives participants random ids, rounds times to the day, orders votes by statement, and names no
    authors. The organiser's version keeps all else that the import kept. Neither has external ids.

    \b
      [bold]solon collect export parks -o parks-public[/bold]
      [bold]solon collect export parks -o parks-raw --organiser[/bold]
    """
    from solon.collective.exporting import MUST_STAY_PRIVATE, export_conversation
    from solon.collective.reading.folder import open_conversation

    imported = open_conversation(folder)
    made = export_conversation(imported.conversation, out, organiser=organiser, authors=authors, seed=seed, force=force)
    for line in made:
        typer.echo(line)
    if organiser:
        typer.secho(MUST_STAY_PRIVATE, fg=typer.colors.YELLOW)
