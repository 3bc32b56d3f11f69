"""`solon collect groups` and `analyse`: opinion groups, and all that Polis's mathematics says of a conversation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.cli.collect import options
from solon.cli.collect.options import say
from solon.collective.opinion.analysis import analyse as analysis_of
from solon.collective.opinion.consensus import in_every_group
from solon.collective.opinion.files import FILES, AnalysisSummary, write_analysis, write_groups
from solon.collective.opinion.given_groups import given_groups, number_of_groups
from solon.collective.opinion.stability import opinion_of, ship_stability
from solon.collective.output import require_free
from solon.collective.phrases import many
from solon.collective.reading.folder import open_conversation, read_by
from solon.collective.reading.mathematics import read_stored
from solon.errors import InputError


def groups(
    folder: options.Folder,
    output: options.OutTable,
    k: options.K = None,
    method: options.Method = "polis",
    seed: options.Seed = 0,
    stability: options.Stability = True,
    force: options.Force = False,
) -> None:
    """Find opinion groups: people who vote alike.

    The table has a row for everybody who is in a group; people with too few votes are in none. Group 0 is the largest.
    Beside it, OUT-stability.json says how far you can trust the groups: what would change with other starts, another
    number of groups, another value for votes not cast, and other people of the same public.

    \b
      [bold]solon collect groups export/ -o groups.csv[/bold]
      [bold]solon collect groups export/ --k 3 -o groups.csv[/bold]
      [bold]solon collect groups export/ --method ccai --seed 1 -o groups.csv[/bold]
    """
    beside = output.with_name(f"{output.stem}-stability.json")
    require_free(output, beside, force=force, reads=read_by(folder))
    conversation = open_conversation(folder).conversation
    opinion = opinion_of(conversation, k=k, method=method, seed=seed)
    found, report = opinion.groups, opinion.stability if stability else None
    write_groups(found, output)
    ship_stability(beside, report)
    say(found.notes, err=True)
    say((f"{tried} groups: silhouette {value:.3f}" for tried, value in sorted(found.silhouettes.items())), err=True)
    say(report.sentences if report else (), err=True)
    typer.echo(number_of_groups(conversation, found))
    sizes = ", ".join(f"{name}: {size}" for name, size in zip(found.names, found.sizes, strict=True))
    people = many(len(found.participant_ids), "person", "people")
    typer.echo(f"{output}: {people} in {many(found.k, 'group')} ({sizes})")


def analyse(
    folder: options.Folder,
    output: options.OutFolder,
    math_from: Annotated[
        Path | None, Option(metavar="FILE", help="Use the groups and axes of a server's math-pca2.json.")
    ] = None,
    groups: options.Groups = "found",
    k: options.K = None,
    method: options.Method = "polis",
    seed: options.Seed = 0,
    stability: options.Stability = True,
    force: options.Force = False,
) -> None:
    """Analyse a conversation: what unites and what divides.

    This writes statements.csv (what divides, what to show next), representative.csv (what sets each group apart),
    consensus.csv (what most agree or disagree with), summary.json, stability.json (how far you can trust the groups),
    and participants.csv, which tells where each person stands and is for the organiser only. A vote is 1 agree, -1
    disagree, 0 pass throughout.

    \b
      [bold]solon collect analyse export/ -o analysis/[/bold]
      [bold]solon collect analyse export/ --groups groups.csv -o analysis/[/bold]
      [bold]solon collect analyse export/ --math-from export/math-pca2.json -o analysis/[/bold]
    """
    require_free(*(output / name for name in (*FILES, "stability.json")), force=force, reads=read_by(folder))
    if math_from and (groups != "found" or k is not None or method != "polis" or seed):
        raise InputError("--math-from brings its own groups", hint="leave out --groups, --k, --method and --seed")
    options.only_found_have_k(groups, k)
    if math_from and not math_from.exists() and (folder / math_from).is_file():
        math_from = folder / math_from  # named as it stands in the export
    stored = read_stored(math_from) if math_from else None
    talk = open_conversation(folder).conversation
    given = given_groups(groups, talk)
    if stored:
        found = analysis_of(talk, stored=stored)
        opinion = opinion_of(talk, groups=found.groups) if stability else None
    else:
        opinion = opinion_of(talk, groups=given, k=k, method=method, seed=seed)
        found = analysis_of(talk, groups=opinion.groups)
    summary = write_analysis(found, output, seed=seed)
    report = opinion.stability if opinion and stability else None
    ship_stability(output / "stability.json", report)
    say(_notes(summary), err=True)
    say(report.sentences if report else (), err=True)
    say((number_of_groups(talk, found.groups), *in_every_group(talk, found.groups).lines))
    sizes = ", ".join(f"{group.name}: {group.participants}" for group in summary.groups)
    typer.echo(
        f"{output}: {summary.votes} votes ({summary.vote_sign}) of {summary.participants} people on "
        f"{summary.statements} statements; {summary.k} groups ({sizes})"
    )


def _notes(summary: AnalysisSummary) -> Iterator[str]:
    for one in summary.agreements:
        said = f"{one.compared} compared, {one.differ} differ, largest difference {one.largest:.1e}"
        yield f"stored {one.quantity}: {said}"
    for note in summary.notes:
        yield f"note: {note}"
