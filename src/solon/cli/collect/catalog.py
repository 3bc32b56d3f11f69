"""`solon collect catalog`: the file in which somebody puts the report into one more language."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect.options import FORCE

LANGUAGE = typer.Argument(metavar="LANGUAGE", help="A tag such as nl, pt-BR or he.")
OUT = typer.Option("-o", "--output", metavar="FILE.po", help="The catalogue to write.")
BEGUN = typer.Option("--from", metavar="FILE.po", help="A catalogue begun earlier, whose texts are kept.")


def catalog(
    language: Annotated[str, LANGUAGE],
    output: Annotated[Path, OUT],
    begun: Annotated[Path | None, BEGUN] = None,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Write every text of the report for a translator, who fills it in with Poedit or any editor.

    Texts that ship for the language, or stand in the catalogue begun earlier, are in it. What is left empty stays
    English on the page.

    \b
      [bold]solon collect catalog nl -o nl.po[/bold]
      [bold]solon collect report export/ --catalog nl.po -o report.html[/bold]
    """
    from solon.collective.output import require_free
    from solon.collective.tables import write_file
    from solon.report.public.catalogue import new_catalogue

    require_free(output, force=force)
    write_file(output, new_catalogue(language, begun))
    typer.echo(f"{output}: fill in what is empty; then give it to `solon collect report --catalog`")
