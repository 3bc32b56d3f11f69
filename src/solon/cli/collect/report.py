"""`solon collect report`: the result of a conversation, for people who are not engineers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solon.cli.collect.options import FOLDER, FORCE, GROUPS, K_IS_FOR_FOUND, METHOD, SEED, STABILITY, K, Method
from solon.errors import InputError, Where

if TYPE_CHECKING:
    from solon.collective.opinion.results import Analysis

PAGE = typer.Option("-o", "--output", metavar="FILE.html", help="The page to write.")
CONSTITUTION = typer.Option(
    "--constitution", metavar="FILE.toml", help="What was made of it, with its trace beside it."
)
POPULATION = typer.Option("--population", metavar="FILE.toml", help="Who was meant to take part.")
ATTRIBUTES = typer.Option("--attributes", metavar="FILE.csv", help="Attributes of those who took part.")
REMOVALS = typer.Option(
    "--removals", metavar="FILE.csv", help="What `solon collect clean` removed. Default: DIR/removals.csv, if there."
)
TITLE = typer.Option("--title", help="Default: the conversation's topic.")
QUESTION = typer.Option("--question", help="Default: the conversation's description.")
ORGANISER = typer.Option("--organiser", help="Who asked.")
ATTRIBUTION = typer.Option("--attribution", help="Whose data it is, under which licence.")
LANGUAGE = typer.Option("--language", help="Of the page: en, ar, de, es, fr, zh; or that of --catalog.")
CATALOG = typer.Option("--catalog", metavar="FILE.po", help="The page's texts in a language of your own.")
SPOKEN = typer.Option("--statements-language", help="Of the statements, such as en or de, for screen readers.")


def report(
    folder: Annotated[Path, FOLDER],
    output: Annotated[Path, PAGE],
    groups: Annotated[str, GROUPS] = "found",
    k: Annotated[int | None, K] = None,
    method: Annotated[Method, METHOD] = Method.polis,
    seed: Annotated[int, SEED] = 0,
    constitution: Annotated[Path | None, CONSTITUTION] = None,
    population: Annotated[Path | None, POPULATION] = None,
    attributes: Annotated[Path | None, ATTRIBUTES] = None,
    removals: Annotated[Path | None, REMOVALS] = None,
    stability: Annotated[bool, STABILITY] = True,
    title: Annotated[str, TITLE] = "",
    question: Annotated[str, QUESTION] = "",
    organiser: Annotated[str, ORGANISER] = "",
    attribution: Annotated[str, ATTRIBUTION] = "",
    language: Annotated[str, LANGUAGE] = "",
    catalog: Annotated[Path | None, CATALOG] = None,
    statements_language: Annotated[str, SPOKEN] = "",
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Write one HTML file that says what a conversation found, readable without any other file.

    It holds who took part, what most agree on, what divides and whom, a map, what was removed, how sure it
    all is, and a table to download. Small numbers of people are withheld.

    \b
      [bold]solon collect report export/ -o report.html[/bold]
      [bold]solon collect report export/ --constitution public.toml -o report.html[/bold]
      [bold]solon collect report export/ --population town.toml --attributes people.csv -o report.html[/bold]
      [bold]solon collect report export/ --language de -o bericht.html[/bold]
    """
    from solon.collective.opinion.given_groups import FOUND
    from solon.collective.output import require_free
    from solon.collective.phrases import many
    from solon.report.public.catalogue import language_of
    from solon.report.public.gather import Sources, gather
    from solon.report.public.inputs import Words
    from solon.report.public.page import write_public_report

    if groups != FOUND and k is not None:
        raise typer.BadParameter(K_IS_FOR_FOUND)
    _require_page(output)
    require_free(output, force=force)
    sources = Sources(
        folder=folder,
        groups=groups,
        k=k,
        method=method.value,
        seed=seed,
        constitution=constitution,
        population=population,
        attributes=attributes,
        removals=removals,
        stability=stability,
        words=Words(
            title=title, question=question, organiser=organiser, attribution=attribution, spoken=statements_language
        ),
        language=language_of(language, catalog),
    )
    given = gather(sources)
    write_public_report(output, given)
    if missing := sources.language.missing:
        typer.echo(f"the catalogue lacks {many(missing, 'text')} of the page, which stayed English", err=True)
    _print_agreement(given.analysis)
    sizes = ", ".join(map(str, given.analysis.groups.sizes))
    typer.echo(f"{output}: {output.stat().st_size / 1000:,.0f} kB; groups of {sizes} people")


def _print_agreement(analysis: Analysis) -> None:
    from solon.collective.opinion.consensus import in_every_group

    for note in analysis.notes:
        typer.echo(note, err=True)
    for line in in_every_group(analysis.conversation, analysis.groups).lines:
        typer.echo(line)


def _require_page(output: Path) -> None:
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError("is no name for a page", where=Where(output), hint=f"call it {output.stem}.html")
