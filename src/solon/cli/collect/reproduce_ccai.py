"""`solon collect reproduce-ccai`: the published study, reproduced and corrected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect.options import Force, OutFolder
from solon.collective.output import replacing
from solon.report.study.files import REFUSED, SUMMARY, write_all
from solon.report.study.measures import PAPER_CUT, PAPER_K, reproduce
from solon.report.study.reading import read_study


def reproduce_ccai(
    folder: Annotated[Path, Argument(metavar="DIR", help="comments.csv, participants-votes.csv and ids-to-toss.csv.")],
    output: OutFolder,
    seed: Annotated[int, Option(min=0, help="Seed of the clustering. The notebook has 0.")] = 0,
    force: Force = False,
) -> None:
    """Reproduce the CCAI study, and correct it.

    These are the opinion groups and the consensus of Collective Constitutional AI (2023). The published notebook
    computes groups on rows sorted by participant and attaches them, by position, to rows in the order of the export.
    corrected.csv has every label with its owner; published.csv repeats the slip and needs the export in its published
    order. See docs/ccai.md.

    \b
      [bold]solon collect reproduce-ccai ccai-2023 -o out[/bold]
    """
    with replacing(output, marker=SUMMARY, force=force) as new:
        study = read_study(folder)
        found = reproduce(study, seed=seed)
        corrected, published, comparison = write_all(new, found)
    talk = study.conversation
    typer.echo(f"participants: {study.n_participants} exported, {len(talk.participants)} kept")
    typer.echo(f"statements: {study.n_statements} exported, {len(talk.statements)} kept")
    typer.echo(f"groups: {' and '.join(map(str, corrected.group_sizes))} people")
    if found.chosen_k != PAPER_K:
        typer.echo(f"note: the silhouette prefers {found.chosen_k} groups; the paper has {PAPER_K}, as here", err=True)
    if published is None or comparison is None:
        typer.echo(f"note: published.csv is not written: {REFUSED}", err=True)
        typer.echo(f"above {PAPER_CUT}: {corrected.above_cut} statements, labels on their owners")
    else:
        typer.echo(
            f"above {PAPER_CUT}: {published.above_cut} statements as published, {corrected.above_cut} corrected; "
            f"{len(comparison.leaving)} leave, {len(comparison.entering)} enter"
        )
    typer.echo(f"written to {output}")
