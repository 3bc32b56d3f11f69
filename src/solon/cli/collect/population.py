"""`solon collect population`: who took part against who was meant to, and weights that make up for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from solon.collective.sample import Gap, Reading, Sample
    from solon.collective.weights import Weights

POPULATION = typer.Argument(metavar="POPULATION.toml", help="Quotas, screening questions, minimum sizes.")
ATTRIBUTES = typer.Argument(metavar="ATTRIBUTES.csv", help="`participant` and a column for each attribute.")
CONVERSATION = typer.Option("--conversation", metavar="DIR", help="Weight those who voted, and estimate agreement.")
OUT = typer.Option("-o", "--out", metavar="OUT", help="Folder to write the tables to.")
CAP = typer.Option("--cap", help="Largest weight, the mean being 1; 0: no limit.")
EXACT = typer.Option("--exact", help="Print small counts too. For the organiser's eyes.")


def population(
    target: Annotated[Path, POPULATION],
    attributes: Annotated[Path, ATTRIBUTES],
    out: Annotated[Path, OUT],
    folder: Annotated[Path | None, CONVERSATION] = None,
    cap: Annotated[float, CAP] = 5.0,
    exact: Annotated[bool, EXACT] = False,
) -> None:
    """Compare participants with the population they should speak for, and weight them to it.

    \b
    Writes into OUT:
      gaps.csv       shares, gaps in points and in people; small counts are empty      may be published
      weighting.csv  effective number of participants, design effect, trimmed weights  may be published
      estimates.csv  with --conversation: agreement, weighted, with 95% intervals      may be published
      weights.csv    participant, weight                                               for the organiser only

    Attributes identify people when put together. ATTRIBUTES.csv, weights.csv and the raw export are for the
    organiser only; keep them apart from what you publish. No count of people below the population's
    `suppress_below` leaves this command, nor one from which it could be recomputed, except with --exact.

    \b
      [bold]solon collect population adults.toml attributes.csv -o sample[/bold]
      [bold]solon collect population adults.toml attributes.csv --conversation parks -o sample[/bold]
    """
    from solon.collective.folder import open_conversation
    from solon.collective.population import load_population
    from solon.collective.population_files import without_outsiders, write_estimates, write_gaps, write_weights
    from solon.collective.sample import gaps, published_gaps, read_attributes
    from solon.collective.weights import rake
    from solon.errors import InputError

    if cap and not cap > 1:
        raise InputError(f"--cap {cap:g} is too low", hint="weights have the mean 1; 3 to 5 are usual, 0 for no limit")
    reading = read_attributes(attributes, load_population(target))
    sample = reading.sample
    conversation = open_conversation(folder).conversation if folder else None
    if conversation is not None:
        sample = without_outsiders(sample, conversation, reading.screened_ids)
    published = published_gaps(sample)
    write_gaps(published, out)
    _say_people(reading, sample)
    _table(gaps(sample) if exact else published, sample)
    # The gaps are written even where no weights exist: they say whom to invite.
    weights = rake(sample, cap=cap or None)
    write_weights(weights, out)
    if conversation is not None:
        write_estimates(conversation, weights, out)
    _say_weights(weights)
    typer.echo(f"{out}: gaps.csv may be published; weights.csv is for the organiser only")


def _say_people(reading: Reading, sample: Sample) -> None:
    if reading.unread:
        typer.echo(f"columns not read, for the population does not name them: {len(reading.unread)}")
    for question, count in sample.screened_out.items():
        if count:
            silent = f", {sample.unanswered[question]} of them without an answer" if sample.unanswered[question] else ""
            typer.echo(f"screened out by {question}: {count}{silent}")
    if sample.without_attributes:
        typer.echo(f"voted, but not in the attributes: {sample.without_attributes} (every attribute unknown)")
    if sample.without_votes:
        typer.echo(f"in the attributes, but without a vote: {sample.without_votes} (left out)")


def _table(found: Sequence[Gap], sample: Sample) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from solon.cli.constitution import printable

    title = f"{sample.population.title}: {len(sample)} participants"
    table = Table(title=Text(printable(title)), title_justify="left")
    for name in ("attribute", "category"):
        table.add_column(name, overflow="fold")
    for name in ("population", "people", "sample", "points", "missing (-)"):
        table.add_column(name, justify="right", no_wrap=True)
    before = ""
    for gap in found:
        cells = [
            "" if gap.population_share is None else f"{gap.population_share:.1%}",
            "hidden" if gap.people is None else f"{gap.people}{' *' if gap.below_minimum else ''}",
            "" if gap.sample_share is None else f"{gap.sample_share:.1%}",
            "" if gap.gap_points is None else f"{gap.gap_points:+.1f}",
            "" if gap.gap_people is None else f"{gap.gap_people:+d}",
        ]
        name = gap.attribute if gap.attribute != before else ""
        table.add_row(Text(printable(name)), Text(printable(gap.category or "unknown")), *cells)
        before = gap.attribute
    Console().print(table)
    if any(gap.below_minimum for gap in found):
        typer.echo("* fewer than the population's minimum")


def _say_weights(weights: Weights) -> None:
    typer.echo(
        f"weights: {len(weights.sample)} participants count as {weights.n_effective:.0f}"
        f" (design effect {weights.design_effect:.2f}), largest weight {weights.weights_N.max():.2f}"
    )
    if weights.trimmed:
        remaining = f"the largest gap that remains is {100 * weights.remaining_gap:.1f} points"
        typer.echo(f"trimmed weights: {weights.trimmed}; {remaining}")
    for name, count in weights.unknown.items():
        if count:
            typer.echo(f"{name}: unknown for some; together they keep the share they have")
    for proposal in weights.proposals:
        typer.echo(f"very few people in one category; consider {proposal}")
