"""`solon collect principles`: a constitution from statements and votes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solon.cli.collect.options import (
    FOLDER,
    FORCE,
    GROUPS,
    K_IS_FOR_FOUND,
    METHOD,
    NO_SMOOTHING,
    STABILITY,
    UNMODERATED,
    K,
    Method,
)

if TYPE_CHECKING:
    from solon.collective.conversation import Conversation
    from solon.collective.opinion.results import Groups
    from solon.collective.opinion.stability import StabilityReport
    from solon.collective.principles.constitution import Assembled
    from solon.collective.principles.trace import Trace

OUTPUT = typer.Option("-o", "--output", metavar="CONSTITUTION.toml", help="The list to write.")
THRESHOLD = typer.Option("--threshold", min=0.0, max=1.0, help="Least consensus. Default: 0.85.")
IDEAS = typer.Option("--ideas", min=1, metavar="N", help="The N ideas with the highest consensus.")
WEIGHTED = typer.Option("--weighted", help="Weigh principles by consensus; alone, of all that reach 0.5.")
MERGES = typer.Option("--merges", metavar="FILE", help="Decisions from `solon collect merge`.")
MEASURE = typer.Option("--measure", help="Of the groups' agreement.")
MAJORITY = typer.Option(
    "--majority/--no-majority",
    help="Ask for a majority of every group, too. Default: yes, unless --threshold is below 0.5.",
)
REJECTED = typer.Option("--rejected", help="Principles of what every group rejects, too, told as rejected.")
SEED = typer.Option("--seed", min=0, help="Of the groups and the intervals.")
TITLE = typer.Option("--title", help="Of the constitution. Default: the conversation's topic.")
MINIMUM = typer.Option(
    "--minimum-votes",
    min=0,
    help="Votes needed in every group. Default: 10, or half of the smallest group's people if that is fewer.",
)


class MeasureName(StrEnum):
    """How the agreement of several groups becomes one number."""

    geometric_mean = "geometric-mean"
    product = "product"


def principles(
    folder: Annotated[Path, FOLDER],
    output: Annotated[Path, OUTPUT],
    threshold: Annotated[float | None, THRESHOLD] = None,
    ideas: Annotated[int | None, IDEAS] = None,
    weighted: Annotated[bool, WEIGHTED] = False,
    merges: Annotated[Path | None, MERGES] = None,
    groups: Annotated[str, GROUPS] = "found",
    minimum_votes: Annotated[int | None, MINIMUM] = None,
    measure: Annotated[MeasureName, MEASURE] = MeasureName.geometric_mean,
    majority: Annotated[bool | None, MAJORITY] = None,
    rejected: Annotated[bool, REJECTED] = False,
    no_smoothing: Annotated[bool, NO_SMOOTHING] = False,
    include_unmoderated: Annotated[bool, UNMODERATED] = False,
    k: Annotated[int | None, K] = None,
    method: Annotated[Method, METHOD] = Method.polis,
    seed: Annotated[int, SEED] = 0,
    stability: Annotated[bool, STABILITY] = True,
    title: Annotated[str, TITLE] = "",
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Make a constitution of the statements that all opinion groups agree with.

    Each principle quotes its statement and names the votes by group and the intervals. Beside the
    constitution stands its trace (.trace.json), with everything that was left out and why, and, where the
    groups were found here, how far to trust them (.stability.json). How many principles there would be at
    other thresholds is told at the end.

    \b
      [bold]solon collect principles export/ -o public.toml[/bold]
      [bold]solon collect principles export/ --ideas 75 --merges merges.toml -o public.toml[/bold]
      [bold]solon collect principles export/ --weighted --groups groups.csv -o public.toml[/bold]
      [bold]solon collect principles export/ --measure product --threshold 0.723 --no-smoothing -o public.toml[/bold]
      [bold]solon run --constitution public.toml[/bold]
    """
    from solon.collective.opinion.consensus import in_every_group
    from solon.collective.opinion.given_groups import FOUND, number_of_groups
    from solon.collective.output import require_free
    from solon.collective.principles.constitution import assemble, write_assembled
    from solon.collective.principles.merges import read_merges
    from solon.collective.principles.selection import Rule, asks_majority, minimum_votes_for
    from solon.collective.principles.trace import trace_path
    from solon.collective.reading.folder import open_conversation, read_by

    require_free(output.with_suffix(".stability.json"), force=force)
    require_free(output, trace_path(output), force=True, reads=[*read_by(folder), merges])
    talk = open_conversation(folder).conversation
    decisions = None if merges is None else read_merges(merges, talk)
    found, report = _groups(groups, talk, k=k, method=method, seed=seed)
    rule = Rule(
        measure=measure.value,
        threshold=threshold,
        ideas=ideas,
        weighted=weighted,
        minimum_votes=minimum_votes_for(found) if minimum_votes is None else minimum_votes,
        smoothing=not no_smoothing,
        include_unmoderated=include_unmoderated,
        majority=asks_majority(threshold) if majority is None else majority,
        rejected=rejected,
    )
    assembled = assemble(talk, found, rule, name=output.stem, title=title, merges=decisions, seed=seed)
    written = write_assembled(assembled, output, force=force)
    for note in found.notes if groups != FOUND else ():
        typer.echo(note, err=True)
    _report(assembled, written)
    everywhere = in_every_group(talk, found)
    for line in everywhere.lines:
        typer.echo(line)
    _say_unmoderated(assembled.trace, talk.statement_ids[everywhere.agreed_S].tolist())
    typer.echo(number_of_groups(talk, found))
    _say_stability(written[0], report if stability else None)


def _groups(
    wanted: str, talk: Conversation, *, k: int | None, method: Method, seed: int
) -> tuple[Groups, StabilityReport | None]:
    """How far to trust groups is said of those that are found here; given ones have their own report."""
    from solon.collective.opinion.given_groups import FOUND, given_groups
    from solon.collective.opinion.kept import opinion_of

    if wanted != FOUND and k is not None:
        raise typer.BadParameter(K_IS_FOR_FOUND)
    if given := given_groups(wanted, talk):
        return given, None
    found = opinion_of(talk, k=k, method=method.value, seed=seed)
    return found.groups, found.stability


def _say_unmoderated(trace: Trace, agreed: list[int]) -> None:
    """Of the statements that are agreed with, those that only moderation keeps from becoming principles."""
    waiting = {one.id for one in trace.statements if one.left_out and one.left_out.code == "unmoderated"}
    if held := waiting.intersection(agreed):
        typer.echo(
            f"{len(held):,} of these {len(agreed):,} were never moderated and make no principle; "
            "--include-unmoderated lets them in"
        )


def _say_stability(written: Path, report: StabilityReport | None) -> None:
    from solon.collective.opinion.stability import ship_stability

    beside = written.with_suffix(".stability.json")
    ship_stability(beside, report)
    for sentence in report.sentences if report else ():
        typer.echo(sentence, err=True)
    if report:
        typer.echo(f"{beside}: how far to trust the groups")


def _report(assembled: Assembled, written: tuple[Path, Path]) -> None:
    from solon.collective.phrases import many
    from solon.collective.principles.neutral import one_line
    from solon.collective.principles.selection import counts

    trace = assembled.trace
    for note in trace.notes:
        typer.echo(one_line(note), err=True)
    for finding in assembled.findings:
        typer.echo(one_line(str(finding)), err=True)
    remarked = [one.id for one in trace.principles if one.remarks]
    if remarked:
        some = ", ".join(remarked[:5]) + (", ..." if len(remarked) > 5 else "")
        typer.echo(f"{many(len(remarked), 'principle')} for a person to look at, see the trace: {some}", err=True)
    left_out = [one.left_out for one in trace.statements if one.left_out]
    typer.echo(f"{written[0]}: {assembled.constitution.description}")
    typer.echo(f"left out: {counts(left_out)}" if left_out else "nothing was left out")
    typer.echo(f"{written[1]}: the way from each principle back to statements and votes")
    for line in _other_choices(trace):
        typer.echo(line)


def _other_choices(trace: Trace) -> list[str]:
    """How many principles there would be at other thresholds, and what a number of ideas would ask, as a table."""
    rows = [
        ("consensus of at least", [f"{one.threshold:.2f}" for one in trace.curve]),
        ("principles", [str(one.ideas) for one in trace.curve]),
        ("the first ... ideas", [str(one.ideas) for one in trace.numbers]),
        ("consensus of the last", [f"{one.threshold:.2f}" for one in trace.numbers]),
    ]
    return ["other choices:", *(f"  {name:<22}" + "".join(f"{cell:>6}" for cell in cells) for name, cells in rows)]
