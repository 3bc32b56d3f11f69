"""`solon collect topics` and `merge`: topics, and merges that a person decides on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect.options import Folder, Seed, Spoken, Unmoderated, say
from solon.collective.output import require_free
from solon.collective.principles.merges import write_merges
from solon.collective.principles.selection import admissible, counts
from solon.collective.principles.topics import propose
from solon.collective.principles.walk import Walk
from solon.collective.reading.folder import open_conversation, read_by
from solon.errors import InputError, Where


def topics(
    folder: Folder,
    output: Annotated[Path, Option("-o", "--output", metavar="MERGES.toml", help="The file to write.")],
    threshold: Annotated[
        float | None, Option(min=0.0, max=1.0, help="Propose a merge from this similarity on.")
    ] = None,
    topics: Annotated[int | None, Option(min=1, help="Sort into this many topics.")] = None,
    model: Annotated[
        Path | None, Option(metavar="DIR", help="Compare by this model's embeddings instead of by words.")
    ] = None,
    language: Annotated[
        Spoken | None, Option(help="The language of all statements. Default: each statement tells its own.")
    ] = None,
    include_unmoderated: Unmoderated = False,
    seed: Seed = 0,
    force: Annotated[bool, Option("--force", help="Overwrite the file, and the decisions in it.")] = False,
) -> None:
    """Sort statements into topics, and propose what to merge.

    It proposes to merge statements that say the same. Nothing is merged yet: decide with `solon collect merge`, or
    write `yes` and `no` into the file. The file also lists statements at which a person should look before a model
    reads them.

    \b
      [bold]solon collect topics export/ -o merges.toml[/bold]
      [bold]solon collect topics export/ --threshold 0.3 -o merges.toml[/bold]     propose more
      [bold]solon collect topics export/ --model my-encoder -o merges.toml[/bold]  by meaning, not words
    """
    if output.exists() and not force:
        hint = "go on with `solon collect merge`, choose another name, or add --force to lose its decisions"
        raise InputError("exists already", where=Where(output), hint=hint)
    require_free(output, force=True, reads=read_by(folder))
    kept, reasons, note = admissible(open_conversation(folder).conversation, include_unmoderated=include_unmoderated)
    embed = None
    if model is not None:
        from solon.models.embedding import embedder

        embed = embedder(model)
    file, told = propose(kept, threshold=threshold, topics=topics, language=language, embed=embed, seed=seed)
    write_merges(output, file)
    say((note, f"left out: {counts(reasons.values())}" if reasons else "", told), err=True)
    typer.echo(
        f"{output}: {len(kept.statements)} statements in {len(file.topic)} topics; to decide: "
        f"{len(file.merge)} merges and {len(file.wording)} wordings"
    )
    if file.open:
        typer.echo(f"next: solon collect merge {output}")


def merge(
    file: Annotated[
        Path, Argument(metavar="MERGES.toml", help="A file that `solon collect topics` wrote; your answers go into it.")
    ],
) -> None:
    """Decide, one by one, which statements say the same.

    Press y for yes, n for no, e to edit (take statements out, or choose other words; that is a yes), s to skip, q to
    quit. Every answer is saved at once; the next walk goes on with what is open.

    \b
      [bold]solon collect merge merges.toml[/bold]
    """
    walk = Walk(file, _ask, typer.echo)
    try:
        walk.go()
    finally:
        typer.echo(f"\n{file}: {walk.answered} answered now, {walk.file.open} of {walk.file.total} open")


def _ask(question: str) -> str | None:
    """A line from standard input; None at its end."""
    typer.echo(question, nl=False)
    line = sys.stdin.readline()
    return line.rstrip("\n") if line else None
