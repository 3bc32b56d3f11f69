"""`solon collect report` and `catalog`: the result of a conversation, for people who are not engineers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect import options
from solon.cli.collect.options import say
from solon.errors import InputError, Where

PAGE = typer.Option("-o", "--output", metavar="FILE.html", help="The page to write.")
CONSTITUTION = typer.Option(
    "--constitution", metavar="FILE.toml", help="Show the constitution that was made of it; its trace is beside it."
)
POPULATION = typer.Option("--population", metavar="FILE.toml", help="Compare with who was meant to take part.")
ATTRIBUTES = typer.Option("--attributes", metavar="FILE.csv", help="Read the attributes of those who took part.")
REMOVALS = typer.Option(
    "--removals",
    metavar="FILE.csv",
    help="Leave out what `solon collect clean` removed. Default: DIR/removals.csv, if it is there.",
)
TITLE = typer.Option("--title", help="Title of the page. Default: the conversation's topic.")
QUESTION = typer.Option("--question", help="What was asked. Default: the conversation's description.")
ORGANISER = typer.Option("--organiser", help="Who asked.")
ATTRIBUTION = typer.Option("--attribution", help="Whose data it is, under which licence.")
LANGUAGE = typer.Option("--language", help="Language of the page: en, ar, de, es, fr, zh; or that of --catalog.")
CATALOG = typer.Option("--catalog", metavar="FILE.po", help="Take the page's texts from your own catalogue.")
SPOKEN = typer.Option("--statements-language", help="Language of the statements, such as en or de, for screen readers.")
TAG = typer.Argument(metavar="LANGUAGE", help="A tag such as nl, pt-BR or he.")
PO = typer.Option("-o", "--output", metavar="FILE.po", help="The catalogue to write.")
BEGUN = typer.Option("--from", metavar="FILE.po", help="Keep the texts of a catalogue that you began earlier.")


def report(
    folder: options.Folder,
    output: Annotated[Path, PAGE],
    groups: options.Groups = "found",
    k: options.K = None,
    method: options.Method = "polis",
    seed: options.Seed = 0,
    constitution: Annotated[Path | None, CONSTITUTION] = None,
    population: Annotated[Path | None, POPULATION] = None,
    attributes: Annotated[Path | None, ATTRIBUTES] = None,
    removals: Annotated[Path | None, REMOVALS] = None,
    stability: options.Stability = True,
    title: Annotated[str, TITLE] = "",
    question: Annotated[str, QUESTION] = "",
    organiser: Annotated[str, ORGANISER] = "",
    attribution: Annotated[str, ATTRIBUTION] = "",
    language: Annotated[str, LANGUAGE] = "",
    catalog: Annotated[Path | None, CATALOG] = None,
    statements_language: Annotated[str, SPOKEN] = "",
    force: options.Force = False,
) -> None:
    """Write one HTML file that says what a conversation found, readable without any other file.

    The page holds who took part, what most agree on, what divides and whom, a map, what was removed, how sure it all
    is, and a table to download. It withholds small numbers of people.

    \b
      [bold]solon collect report export/ -o report.html[/bold]
      [bold]solon collect report export/ --constitution public.toml -o report.html[/bold]
      [bold]solon collect report export/ --population town.toml --attributes people.csv -o report.html[/bold]
      [bold]solon collect report export/ --language de -o bericht.html[/bold]
    """
    from solon.collective.opinion.consensus import in_every_group
    from solon.collective.opinion.given_groups import number_of_groups
    from solon.collective.output import require_free
    from solon.collective.phrases import many
    from solon.report.public.catalogue import language_of
    from solon.report.public.gather import Sources, gather
    from solon.report.public.inputs import Words
    from solon.report.public.page import write_public_report

    options.only_found_have_k(groups, k)
    if output.suffix.lower() not in (".html", ".htm"):
        raise InputError("is no name for a page", where=Where(output), hint=f"call it {output.stem}.html")
    require_free(output, force=force)
    sources = Sources(
        folder=folder,
        groups=groups,
        k=k,
        method=method,
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
    say(given.analysis.notes, err=True)
    talk, found = given.analysis.conversation, given.analysis.groups
    say((number_of_groups(talk, found), *in_every_group(talk, found).lines))
    sizes = ", ".join(map(str, found.sizes))
    typer.echo(f"{output}: {output.stat().st_size / 1000:,.0f} kB; groups of {sizes} people")


def catalog(
    language: Annotated[str, TAG],
    output: Annotated[Path, PO],
    begun: Annotated[Path | None, BEGUN] = None,
    force: options.Force = False,
) -> None:
    """Write every text of the report for a translator, who fills it in with Poedit or any editor.

    The catalogue holds the texts that ship for the language, or that you began earlier. What stays empty is English on
    the page.

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
