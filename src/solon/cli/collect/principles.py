"""`solon collect principles`: a constitution from statements and votes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer import Option

from solon.cli.collect import options
from solon.cli.collect.options import say
from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import in_every_group
from solon.collective.opinion.given_groups import given_groups, number_of_groups
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import StabilityReport, opinion_of, ship_stability
from solon.collective.output import require_free
from solon.collective.phrases import first_of, many
from solon.collective.principles.constitution import PublicConstitution, assemble, write_constitution
from solon.collective.principles.merges import read_merges
from solon.collective.principles.selection import Asked, counts
from solon.collective.principles.trace import Trace, trace_path
from solon.collective.principles.wording import one_line
from solon.collective.reading.folder import open_conversation, read_by

Measure = Literal["geometric-mean", "product"]
Threshold = Annotated[float | None, Option(min=0.0, max=1.0, help="Ask for at least this consensus. Default: 0.85.")]
Ideas = Annotated[int | None, Option(min=1, metavar="N", help="Take the N ideas with the highest consensus.")]
Weighted = Annotated[bool, Option("--weighted", help="Weigh principles by consensus; alone, take all that reach 0.5.")]
Rejected = Annotated[
    bool, Option("--rejected", help="Also make principles, told as rejected, of what every group rejects.")
]
Merges = Annotated[
    Path | None, Option(metavar="FILE", help="Follow the decisions in this file of `solon collect merge`.")
]
Majority = Annotated[
    bool | None, Option(help="Ask for a majority of every group, too. Default: yes, unless --threshold is below 0.5.")
]
MinimumVotes = Annotated[
    int | None,
    Option(
        min=0,
        help="Ask for this many votes in every group. Default: 10, or half of the smallest group if that is fewer.",
    ),
]


def principles(
    folder: options.Folder,
    output: Annotated[Path, Option("-o", "--output", metavar="CONSTITUTION.toml", help="The list to write.")],
    threshold: Threshold = None,
    ideas: Ideas = None,
    weighted: Weighted = False,
    merges: Merges = None,
    groups: options.Groups = "found",
    minimum_votes: MinimumVotes = None,
    measure: Annotated[Measure, Option(help="How to bring the groups' agreement to one number.")] = "geometric-mean",
    majority: Majority = None,
    rejected: Rejected = False,
    no_smoothing: options.NoSmoothing = False,
    include_unmoderated: options.Unmoderated = False,
    k: options.K = None,
    method: options.Method = "polis",
    seed: options.Seed = 0,
    stability: options.Stability = True,
    title: Annotated[str, Option(help="Title of the constitution. Default: the conversation's topic.")] = "",
    force: options.Force = False,
) -> None:
    """Write a constitution that all opinion groups support.

    It is made of the statements that they agree with. Each principle quotes its statement and names the votes by group
    and the intervals. Beside the constitution stands its trace (.trace.json), with everything that was left out and
    why, and, where the groups were found here, how far you can trust them (.stability.json). The last lines say how
    many principles other thresholds would give.

    \b
      [bold]solon collect principles export/ -o public.toml[/bold]
      [bold]solon collect principles export/ --ideas 75 --merges merges.toml -o public.toml[/bold]
      [bold]solon collect principles export/ --weighted --groups groups.csv -o public.toml[/bold]
      [bold]solon collect principles export/ --measure product --threshold 0.723 --no-smoothing -o public.toml[/bold]
      [bold]solon run --constitution public.toml[/bold]
    """
    require_free(output.with_suffix(".stability.json"), force=force)
    require_free(output, trace_path(output), force=True, reads=[*read_by(folder), merges])
    talk = open_conversation(folder).conversation
    found, report = _groups(groups, talk, k=k, method=method, seed=seed)
    asked = Asked(
        measure=measure,
        threshold=threshold,
        ideas=ideas,
        weighted=weighted,
        minimum_votes=minimum_votes,
        smoothing=not no_smoothing,
        include_unmoderated=include_unmoderated,
        majority=majority,
        rejected=rejected,
    )
    decided = read_merges(merges, talk) if merges else None
    assembled = assemble(talk, found, asked.rule(found), name=output.stem, title=title, merges=decided, seed=seed)
    _report(assembled, write_constitution(assembled, output, force=force))
    _tell_groups(talk, found, assembled.trace)
    _ship_stability(output, report if stability else None)


def _tell_groups(talk: Conversation, found: Groups, trace: Trace) -> None:
    everywhere = in_every_group(talk, found)
    say(everywhere.lines)
    say(_unmoderated(trace, talk.statement_ids[everywhere.agreed_S].tolist()))
    typer.echo(number_of_groups(talk, found))


def _groups(
    wanted: str, talk: Conversation, *, k: int | None, method: options.MethodName, seed: int
) -> tuple[Groups, StabilityReport | None]:
    """How far to trust groups is said of those that are found here; given ones have their own report."""
    options.only_found_have_k(wanted, k)
    if given := given_groups(wanted, talk):
        say(given.notes, err=True)
        return given, None
    found = opinion_of(talk, k=k, method=method, seed=seed)
    return found.groups, found.stability


def _unmoderated(trace: Trace, agreed: list[int]) -> Iterator[str]:
    """Of the statements that are agreed with, those that only moderation keeps from becoming principles."""
    waiting = {one.id for one in trace.statements if one.left_out and one.left_out.code == "unmoderated"}
    if held := waiting.intersection(agreed):
        few = f"{len(held):,} of these {len(agreed):,}"
        yield f"{few} were never moderated and make no principle; --include-unmoderated lets them in"


def _ship_stability(written: Path, report: StabilityReport | None) -> None:
    beside = written.with_suffix(".stability.json")
    ship_stability(beside, report)
    if report:
        say(report.sentences, err=True)
        typer.echo(f"{beside}: how far to trust the groups")


def _report(assembled: PublicConstitution, written: tuple[Path, Path]) -> None:
    trace = assembled.trace
    say((one_line(str(one)) for one in (*trace.notes, *assembled.findings)), err=True)
    if remarked := [one.id for one in trace.principles if one.remarks]:
        some = first_of(remarked, 5)
        typer.echo(f"{many(len(remarked), 'principle')} for a person to look at, see the trace: {some}", err=True)
    left_out = [one.left_out for one in trace.statements if one.left_out]
    typer.echo(f"{written[0]}: {assembled.constitution.description}")
    typer.echo(f"left out: {counts(left_out)}" if left_out else "nothing was left out")
    typer.echo(f"{written[1]}: the way from each principle back to statements and votes")
    say(_other_choices(trace))


def _other_choices(trace: Trace) -> list[str]:
    """How many principles there would be at other thresholds, and what a number of ideas would ask, as a table."""
    rows = [
        ("consensus of at least", [f"{one.threshold:.2f}" for one in trace.curve]),
        ("principles", [str(one.ideas) for one in trace.curve]),
        ("the first ... ideas", [str(one.ideas) for one in trace.numbers]),
        ("consensus of the last", [f"{one.threshold:.2f}" for one in trace.numbers]),
    ]
    return ["other choices:", *(f"  {name:<22}" + "".join(f"{cell:>6}" for cell in cells) for name, cells in rows)]
