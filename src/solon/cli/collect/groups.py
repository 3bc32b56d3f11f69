"""`solon collect groups`: the opinion groups of a conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect.options import FOLDER, FORCE, METHOD, SEED, STABILITY, K, Method


def groups(
    folder: Annotated[Path, FOLDER],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv", help="The table to write.")],
    k: Annotated[int | None, K] = None,
    method: Annotated[Method, METHOD] = Method.polis,
    seed: Annotated[int, SEED] = 0,
    stability: Annotated[bool, STABILITY] = True,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Find opinion groups: people who vote alike.

    The table has a row for everybody who is in a group; people with too few votes are in none. Group 0 is
    the largest. Beside it, OUT-stability.json says how far to trust the groups: what other starts, other numbers of
    groups, another value for votes not cast and other people of the same public would change.

    \b
      [bold]solon collect groups export/ -o groups.csv[/bold]
      [bold]solon collect groups export/ --k 3 -o groups.csv[/bold]
      [bold]solon collect groups export/ --method ccai --seed 1 -o groups.csv[/bold]
    """
    from solon.collective.opinion.files import write_groups
    from solon.collective.opinion.given_groups import number_of_groups
    from solon.collective.opinion.kept import opinion_of
    from solon.collective.opinion.stability import ship_stability
    from solon.collective.output import require_free
    from solon.collective.phrases import many
    from solon.collective.reading.folder import open_conversation, read_by

    beside = output.with_name(f"{output.stem}-stability.json")
    require_free(output, beside, force=force, reads=read_by(folder))
    conversation = open_conversation(folder).conversation
    opinion = opinion_of(conversation, k=k, method=method.value, seed=seed)
    found, report = opinion.groups, opinion.stability if stability else None
    write_groups(found, output)
    ship_stability(beside, report)
    for note in found.notes:
        typer.echo(note, err=True)
    for tried, value in sorted(found.silhouettes.items()):
        typer.echo(f"{tried} groups: silhouette {value:.3f}", err=True)
    for sentence in report.sentences if report else ():
        typer.echo(sentence, err=True)
    typer.echo(number_of_groups(conversation, found))
    sizes = ", ".join(f"{name}: {size}" for name, size in zip(found.names, found.sizes, strict=True))
    people = many(len(found.participant_ids), "person", "people")
    typer.echo(f"{output}: {people} in {many(found.k, 'group')} ({sizes})")
