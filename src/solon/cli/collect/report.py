"""`solon collect report` and `catalog`: the result of a conversation, for people who are not engineers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect import options
from solon.cli.collect.options import say
from solon.collective.opinion.consensus import in_every_group
from solon.collective.opinion.given_groups import number_of_groups
from solon.collective.output import require_free
from solon.collective.phrases import many
from solon.collective.tables import write_file
from solon.errors import InputError, Where
from solon.report.public.catalogue import REPORT, language_of, new_catalogue
from solon.report.public.gather import Sources, gather
from solon.report.public.inputs import PublicInput, Words
from solon.report.public.page import write_public_report

Removals = Annotated[
    Path | None,
    Option(
        metavar="FILE.csv",
        help="Leave out what `solon collect clean` removed. Default: DIR/removals.csv, if it is there.",
    ),
]

Constitution = Annotated[
    Path | None, Option(metavar="FILE.toml", help="Show the constitution made of it; its trace is beside it.")
]
SITE = "solon.web"
"""The package of the site, whose texts are in catalogues of its own."""
Catalog = Annotated[Path | None, Option(metavar="FILE.po", help="Take the page's texts from this catalogue.")]


def report(
    folder: options.Folder,
    output: Annotated[Path, Option("-o", "--output", metavar="FILE.html", help="The page to write.")],
    groups: options.Groups = "found",
    k: options.K = None,
    method: options.Method = "polis",
    seed: options.Seed = 0,
    constitution: Constitution = None,
    population: Annotated[Path | None, Option(metavar="FILE.toml", help="Compare with who should take part.")] = None,
    attributes: Annotated[Path | None, Option(metavar="FILE.csv", help="Attributes of those who took part.")] = None,
    removals: Removals = None,
    stability: options.Stability = True,
    title: Annotated[str, Option(help="Title of the page. Default: the conversation's topic.")] = "",
    question: Annotated[str, Option(help="What was asked. Default: the conversation's description.")] = "",
    organiser: Annotated[str, Option(help="Who asked.")] = "",
    attribution: Annotated[str, Option(help="Whose data it is, under which licence.")] = "",
    language: Annotated[str, Option(help="Language of the page: en, ar, de, es, fr, zh; or that of --catalog.")] = "",
    catalog: Catalog = None,
    statements_language: Annotated[str, Option(help="Language of the statements, for screen readers: en, de.")] = "",
    force: options.Force = False,
) -> None:
    """Write one HTML file that says what a conversation found.

    The page needs no other file. It holds who took part, what most agree on, what divides and whom, a map, what was
    removed, how sure it all is, and a table to download. It withholds small numbers of people.

    \b
      [bold]solon collect report export/ -o report.html[/bold]
      [bold]solon collect report export/ --constitution public.toml -o report.html[/bold]
      [bold]solon collect report export/ --population town.toml --attributes people.csv -o report.html[/bold]
      [bold]solon collect report export/ --language de -o bericht.html[/bold]
    """
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
    _tell(sources, given, output)


def _tell(sources: Sources, given: PublicInput, output: Path) -> None:
    if missing := sources.language.missing:
        typer.echo(f"the catalogue lacks {many(missing, 'text')} of the page, which stayed English", err=True)
    say(given.analysis.notes, err=True)
    talk, found = given.analysis.conversation, given.analysis.groups
    say((number_of_groups(talk, found), *in_every_group(talk, found).lines))
    sizes = ", ".join(map(str, found.sizes))
    typer.echo(f"{output}: {output.stat().st_size / 1000:,.0f} kB; groups of {sizes} people")


def catalog(
    language: Annotated[str, Argument(metavar="LANGUAGE", help="A tag such as nl, pt-BR or he.")],
    output: Annotated[Path, Option("-o", "--output", metavar="FILE.po", help="The catalogue to write.")],
    begun: Annotated[
        Path | None, Option("--from", metavar="FILE.po", help="Keep the texts of a catalogue that you began earlier.")
    ] = None,
    site: Annotated[bool, Option("--site", help="Write the texts of the site instead: `solon serve`.")] = False,
    force: options.Force = False,
) -> None:
    """Write the texts of the report for a translator.

    The translator fills them in with Poedit or any editor. The catalogue holds the texts that ship for the language, or
    that you began earlier. What stays empty is English on the page. Those of the site are in another language when its
    catalogue lies in `src/solon/web/catalogues`.

    \b
      [bold]solon collect catalog nl -o nl.po[/bold]
      [bold]solon collect report export/ --catalog nl.po -o report.html[/bold]
    """
    require_free(output, force=force)
    write_file(output, new_catalogue(language, begun, package=SITE if site else REPORT))
    then = "put it into src/solon/web/catalogues" if site else "give it to `solon collect report --catalog`"
    typer.echo(f"{output}: fill in what is empty; then {then}")
