"""`solon collect analyse`: everything Polis's mathematics says of a conversation, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solon.cli.collect.options import FOLDER, FORCE, GROUPS, K_IS_FOR_FOUND, METHOD, SEED, STABILITY, K, Method
from solon.errors import InputError

if TYPE_CHECKING:
    from solon.collective.opinion.files import AnalysisSummary
    from solon.collective.opinion.results import Analysis
    from solon.collective.opinion.stability import StabilityReport


def analyse(
    folder: Annotated[Path, FOLDER],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="The folder to write.")],
    math_from: Annotated[
        Path | None,
        typer.Option("--math-from", metavar="FILE", help="A server's math-pca2.json: its groups and axes are used."),
    ] = None,
    groups: Annotated[str, GROUPS] = "found",
    k: Annotated[int | None, K] = None,
    method: Annotated[Method, METHOD] = Method.polis,
    seed: Annotated[int, SEED] = 0,
    stability: Annotated[bool, STABILITY] = True,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Analyse a conversation: consensus, what divides, what sets each group apart, what to show next.

    Writes statements.csv, representative.csv, consensus.csv (what most agree or disagree with), summary.json,
    stability.json (how far to trust the groups), and participants.csv, which tells where each person stands and is for
    the organiser only. A vote is 1 agree, -1 disagree, 0 pass throughout.

    \b
      [bold]solon collect analyse export/ -o analysis/[/bold]
      [bold]solon collect analyse export/ --groups groups.csv -o analysis/[/bold]
      [bold]solon collect analyse export/ --math-from export/math-pca2.json -o analysis/[/bold]
    """
    from solon.collective.opinion.analysis import analyse as analysis_of
    from solon.collective.opinion.files import FILES, write_analysis
    from solon.collective.opinion.given_groups import FOUND, given_groups
    from solon.collective.opinion.kept import opinion_of
    from solon.collective.opinion.polis.stored import read_stored
    from solon.collective.opinion.stability import ship_stability
    from solon.collective.output import require_free
    from solon.collective.reading.folder import open_conversation, read_by

    require_free(*(output / name for name in (*FILES, "stability.json")), force=force, reads=read_by(folder))
    if math_from and (groups != FOUND or k is not None or method is not Method.polis or seed):
        raise InputError("--math-from brings its own groups", hint="leave out --groups, --k, --method and --seed")
    if groups != FOUND and k is not None:
        raise typer.BadParameter(K_IS_FOR_FOUND)
    if math_from and not math_from.exists() and (folder / math_from).is_file():
        math_from = folder / math_from  # named as it stands in the export
    stored = read_stored(math_from) if math_from else None
    talk = open_conversation(folder).conversation
    given = given_groups(groups, talk)
    if stored:
        found = analysis_of(talk, stored=stored)
        opinion = opinion_of(talk, groups=found.groups) if stability else None
    else:
        opinion = opinion_of(talk, groups=given, k=k, method=method.value, seed=seed)
        found = analysis_of(talk, groups=opinion.groups)
    summary = write_analysis(found, output, seed=seed)
    report = opinion.stability if opinion and stability else None
    ship_stability(output / "stability.json", report)
    _say(found, summary, report)
    sizes = ", ".join(f"{group.name}: {group.participants}" for group in summary.groups)
    typer.echo(
        f"{output}: {summary.votes} votes ({summary.vote_sign}) of {summary.participants} people on "
        f"{summary.statements} statements; {summary.k} groups ({sizes})"
    )


def _say(found: Analysis, summary: AnalysisSummary, report: StabilityReport | None) -> None:
    from solon.collective.opinion.consensus import in_every_group
    from solon.collective.opinion.given_groups import number_of_groups

    for one in summary.agreements:
        said = f"{one.compared} compared, {one.differ} differ, largest difference {one.largest:.1e}"
        typer.echo(f"stored {one.quantity}: {said}", err=True)
    for note in summary.notes:
        typer.echo(f"note: {note}", err=True)
    for sentence in report.sentences if report else ():
        typer.echo(sentence, err=True)
    typer.echo(number_of_groups(found.conversation, found.groups))
    for line in in_every_group(found.conversation, found.groups).lines:
        typer.echo(line)
