"""`solon collect population`: who took part against who was meant to, and weights that make up for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect.options import OutFolder
from solon.cli.results import print_table
from solon.collective.people.files import write_population
from solon.collective.people.population import load_population
from solon.collective.people.sample import Gap, Sample, gaps, of_voters, published_gaps, read_attributes
from solon.collective.people.weights import FEW, Weights, collapses, rake
from solon.collective.reading.folder import open_conversation
from solon.errors import InputError

LOWEST_CAP = 1.5


def population(
    target: Annotated[Path, Argument(metavar="POPULATION.toml", help="Quotas, screening questions, minimum sizes.")],
    attributes: Annotated[
        Path, Argument(metavar="ATTRIBUTES.csv", help="`participant` and a column for each attribute.")
    ],
    out: OutFolder,
    conversation: Annotated[
        Path | None, Option(metavar="DIR", help="Weight those who voted, and estimate agreement.")
    ] = None,
    cap: Annotated[float, Option(help="Allow no larger weight than this, the mean being 1. 0: no limit.")] = 5.0,
    exact: Annotated[bool, Option("--exact", help="Print small counts, too. For the organiser's eyes.")] = False,
    force: Annotated[bool, Option("--force", help="Replace tables that you wrote before.")] = False,
) -> None:
    """Compare participants and population, and weight them.

    The population is everyone for whom the participants should speak.

    \b
    Writes into OUT:
      gaps.csv       shares, gaps in points and in people; small counts are empty      may be published
      estimates.csv  with --conversation: agreement, weighted, with 95% intervals      may be published
      organiser/     weights.csv, weighting.csv, and both tables above in full         for the organiser only

    Attributes identify people when put together. ATTRIBUTES.csv, the raw export and everything in organiser/ are
    for the organiser only; keep them apart from what you publish. gaps.csv has no count of people below the
    population's `suppress_below`, nor one from which it could be recomputed; nor has the table on the screen,
    unless --exact is given.

    \b
      [bold]solon collect population adults.toml attributes.csv -o sample[/bold]
      [bold]solon collect population adults.toml attributes.csv --conversation parks -o sample[/bold]
    """
    if cap and not LOWEST_CAP <= cap < float("inf"):
        raise InputError(f"--cap is {cap:g}", hint=f"write 0 for no limit, or {LOWEST_CAP} and more; 3 to 5 are usual")
    talk = open_conversation(conversation).conversation if conversation else None
    sample = read_attributes(attributes, load_population(target), talk)
    if talk is not None:
        sample = of_voters(sample, talk)
    _say_people(sample, exact)
    _table(gaps(sample) if exact else published_gaps(sample), sample)
    try:
        weights = rake(sample, cap=cap or None)
    except InputError:
        # The gaps are written even where no weights exist: they say whom to invite.
        write_population(sample, out, force=force)
        raise
    write_population(sample, out, weights=weights, conversation=talk, force=force)
    _say_weights(weights, exact)
    typer.echo(f"{out}: gaps.csv and estimates.csv may be published; organiser/ is for the organiser only")


def _say_people(sample: Sample, exact: bool) -> None:
    population = sample.population

    def number(count: int) -> str:
        few = 0 < count < population.suppress_below and not exact
        return f"fewer than {population.suppress_below}" if few else str(count)

    if sample.unread:
        typer.echo(f"columns not read, for the population does not name them: {len(sample.unread)}")
    for question, count in sample.screened_out.items():
        if count:
            silent = sample.unanswered[question]
            without = f", {number(silent)} of them without an answer" if silent else ""
            typer.echo(f"screened out by {question}: {number(count)}{without}")
    if sample.without_attributes:
        typer.echo(f"voted, but not in the attributes: {number(sample.without_attributes)} (every attribute unknown)")
    if sample.without_votes:
        typer.echo(f"in the attributes, but without a vote: {number(sample.without_votes)} (left out)")
    if len(sample) < population.participants:
        typer.echo(f"{len(sample)} participants; {population.participants} are wanted")


def _table(found: Sequence[Gap], sample: Sample) -> None:
    rows, before = [], ""
    for gap in found:
        name, before = "" if gap.attribute == before else gap.attribute, gap.attribute
        cells = [
            *(name, gap.category or "unknown"),
            "" if gap.population_share is None else f"{gap.population_share:.1%}",
            "hidden" if gap.people is None else f"{gap.people}{' *' if gap.below_minimum else ''}",
            "" if gap.sample_share is None else f"{gap.sample_share:.1%}",
            "" if gap.gap_points is None else f"{gap.gap_points:+.1f}",
            "" if gap.gap_people is None else f"{gap.gap_people:+d}",
        ]
        rows.append(cells)
    numbers = ("population", "people", "sample", "points", "missing (-)")
    title = f"{sample.population.title}: {len(sample)} participants"
    print_table(title, ("attribute", "category"), numbers, rows)
    if any(gap.below_minimum for gap in found):
        typer.echo("* fewer than the population's minimum")


def _say_weights(weights: Weights, exact: bool) -> None:
    largest = f", largest weight {weights.weights_N.max():.2f}" if exact else ""
    typer.echo(
        f"weights: {len(weights.sample)} participants count as {weights.n_effective:.0f}"
        f" (design effect {weights.design_effect:.2f}){largest}"
    )
    if weights.trimmed:
        some = f"{weights.trimmed} weights" if exact else "some weights"
        typer.echo(f"{some} trimmed; the largest gap that remains is {100 * weights.remaining_gap:.1f} points")
    for name, count in weights.unknown.items():
        if count:
            typer.echo(f"{name}: unknown for some; together they keep the share they have")
    for proposal in collapses(weights.sample, below=FEW).values():
        typer.echo(f"very few people in one category; consider {proposal}")
