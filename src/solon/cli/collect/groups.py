"""`solon collect groups`: the opinion groups of a conversation."""

from __future__ import annotations

import typer

from solon.cli.collect.options import Folder, Force, K, Method, OutTable, Seed, Stability, say


def groups(
    folder: Folder,
    output: OutTable,
    k: K = None,
    method: Method = "polis",
    seed: Seed = 0,
    stability: Stability = True,
    force: Force = False,
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
