"""`solon collect consensus`: how far given groups agree, statement by statement."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solon.cli.collect.options import FORCE, NO_SMOOTHING


def consensus(
    votes: Annotated[
        Path,
        typer.Argument(metavar="PARTICIPANTS-VOTES.csv", help="One row per participant, one column per statement."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.csv", help="The table to write.")],
    group_column: Annotated[
        str, typer.Option("--group-column", metavar="NAME", help="The column that names each participant's group.")
    ] = "group-id",
    no_smoothing: Annotated[bool, NO_SMOOTHING] = False,
    intervals: Annotated[
        bool, typer.Option("--intervals", help="Add vote counts, 95% intervals and the geometric mean.")
    ] = False,
    minimum: Annotated[
        int,
        typer.Option("--minimum-votes", min=0, help="With --intervals: flag statements with fewer votes in a group."),
    ] = 10,
    seed: Annotated[int, typer.Option("--seed", help="Of the draws behind the intervals of the product.")] = 0,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Measure how far given opinion groups agree with each statement.

    A vote is 1 agree, -1 disagree, 0 pass; an empty cell is a statement not seen, which counts nowhere.
    Participants without a group are left out and counted on standard error.

    \b
      [bold]solon collect consensus participants-votes.csv --group-column group-id -o consensus.csv[/bold]
      [bold]solon collect consensus participants-votes.csv --no-smoothing --intervals -o consensus.csv[/bold]
    """
    from solon.collective.opinion.ballots import SIGN, read_ballots
    from solon.collective.opinion.consensus import DRAWS
    from solon.collective.opinion.consensus_table import measure_ballots, write_consensus
    from solon.collective.output import require_free
    from solon.collective.phrases import many
    from solon.collective.tables import shown

    require_free(output, force=force)
    ballots = read_ballots(votes, group_column=group_column)
    found, left_out = measure_ballots(
        ballots,
        group_column,
        smoothing=not no_smoothing,
        minimum=minimum,
        draws=DRAWS if intervals else 0,
        seed=seed,
    )
    write_consensus(output, found, intervals=intervals)
    named = ", ".join(shown(name, 30) for name in found.names[:10]) + (", ..." if len(found.names) > 10 else "")
    typer.echo(f"{votes}: votes read as {SIGN}; groups {named}", err=True)
    if left_out:
        typer.echo(f"{votes}: {left_out} of {len(ballots.table)} participants have no group and are left out", err=True)
    shape = f"{many(len(found.statement_ids), 'statement')}, {many(len(found.names), 'group')}"
    typer.echo(f"{output}: {shape}")
