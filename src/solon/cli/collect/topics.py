"""`solon collect topics`: topics, and merges for a person to decide on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect.options import FOLDER, UNMODERATED, Spoken


def topics(
    folder: Annotated[Path, FOLDER],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="MERGES.toml", help="The file to write.")],
    threshold: Annotated[
        float | None, typer.Option("--threshold", min=0.0, max=1.0, help="Similarity from which a merge is proposed.")
    ] = None,
    count: Annotated[int | None, typer.Option("--topics", min=1, help="How many topics.")] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="DIR", help="Compare by this model's embeddings instead of by words."),
    ] = None,
    language: Annotated[
        Spoken | None, typer.Option("--language", help="Of the statements. Default: told by each of them.")
    ] = None,
    include_unmoderated: Annotated[bool, UNMODERATED] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the topics and the latent space.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file, and the decisions in it.")] = False,
) -> None:
    """Sort statements into topics, and propose which of them say the same.

    Nothing is merged: decide with `solon collect merge`, or write `yes` and `no` into the file.
    Statements at which a person should look before a model reads them are listed in it, too.

    \b
      [bold]solon collect topics export/ -o merges.toml[/bold]
      [bold]solon collect topics export/ --threshold 0.3 -o merges.toml[/bold]     propose more
      [bold]solon collect topics export/ --model my-encoder -o merges.toml[/bold]  by meaning, not words
    """
    from solon.collective.output import require_free
    from solon.collective.principles.merges import write_merges
    from solon.collective.principles.proposing import propose
    from solon.collective.principles.selection import admissible, counts
    from solon.collective.reading.folder import open_conversation, read_by
    from solon.errors import InputError, Where

    if output.exists() and not force:
        hint = "go on with `solon collect merge`, choose another name, or add --force to lose its decisions"
        raise InputError("exists already", where=Where(output), hint=hint)
    require_free(output, force=True, reads=read_by(folder))
    kept, reasons, note = admissible(open_conversation(folder).conversation, include_unmoderated=include_unmoderated)
    embed = None
    if model is not None:
        from solon.models.embedding import embedder

        embed = embedder(model)
    code = language.value if language else None
    file, told = propose(kept, threshold=threshold, topics=count, language=code, embed=embed, seed=seed)
    write_merges(output, file)
    left_out = f"left out: {counts(reasons.values())}" if reasons else ""
    for line in (note, left_out, told):
        if line:
            typer.echo(line, err=True)
    typer.echo(
        f"{output}: {len(kept.statements)} statements in {len(file.topic)} topics; to decide: "
        f"{len(file.merge)} merges and {len(file.wording)} wordings"
    )
    if file.open:
        typer.echo(f"next: solon collect merge {output}")
