"""`solon labels`: how good a run's labels are, and whether its judge reads its constitution."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from solon.artifacts.atomic import canonical_json, storage_errors, write_atomic
from solon.artifacts.finished import require_run
from solon.cli.faults import resumable_with
from solon.cli.labels_report import (
    print_agreement,
    print_labels,
    print_origin,
    print_principles,
    print_sensitivity,
)
from solon.cli.run_options import Json, Quiet, Settings
from solon.errors import UserError
from solon.evals.agreement import agreement, read_verdicts
from solon.evals.origin import Origin
from solon.pipeline.labelled import RunLabels
from solon.progress import Reporter, json_line, reporting
from solon.records import Comparison, Record
from solon.report.data import PRINCIPLES, SENSITIVITY

if TYPE_CHECKING:
    from solon.pipeline.asking_again import Sample

app = typer.Typer(no_args_is_help=True, help="Measure a run's labels: their quality, and whether the judge reads.")

Run = Annotated[Path, Argument(metavar="RUN", help="A run folder in which the stage comparisons is finished.")]
Pairs = Annotated[int, Option("--pairs", "-n", min=1, metavar="N", help="How many of the run's pairs to ask about.")]


@app.command()
def quality(
    run: Run,
    again: Annotated[
        int | None, Option(min=0, metavar="N", help="Ask the judge again, about N of the run's pairs. 0: all of them.")
    ] = None,
    settings: Settings = None,
    human: Annotated[
        Path | None,
        Option(metavar="FILE", help='What people say of some pairs: lines {"id": ..., "better": "a", "b" or "tie"}.'),
    ] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say how good a run's labels are, or would be if the judge were asked in another way.

    \b
      [bold]solon labels quality runs/demo[/bold]
      [bold]solon labels quality runs/demo --again 0 --set judge.orders=both[/bold]
      [bold]solon labels quality runs/mine --human read-by-us.jsonl[/bold]

    Against the truth, where the run has a grader that knows it, and against people, where you give what they said:
    accuracy, calibration with the temperature that would mend it (judge.temperature), bias for a place, for length and
    for the judge's own answers. The run stays as it is.
    """
    if settings and again is None:
        raise UserError("--set changes how the judge is asked, but it is not asked", hint="give --again N too")
    said = read_verdicts(human) if human else None
    source, labels, origin = _labels(run, again, settings, quiet, as_json)
    found, people = source.quality(labels), agreement(labels, said) if said is not None else None
    if as_json:
        kept = {"people": people.model_dump(mode="json")} if people else {}
        asked = origin.model_dump(mode="json") if origin else {}
        typer.echo(json_line("labels", found.model_dump(mode="json") | kept | asked))
        return
    print_labels(found)
    print_origin(origin)
    if people:
        print_agreement(people)


@app.command()
def principles(
    run: Run, pairs: Pairs = 100, settings: Settings = None, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Ask about the same pairs under every principle: which agree, which conflict.

    \b
      [bold]solon labels principles runs/demo -n 200[/bold]

    Writes RUN/principles.json; the run's report shows it (solon report RUN).
    """
    from solon.pipeline.asking_again import under_every_principle

    with _resumable(run), reporting(quiet, as_json) as reporter:
        found = under_every_principle(_sample(run, settings, pairs, reporter))
    if found is None:
        raise UserError("the run's judge goes by one principle, so that none can conflict")
    _keep(run, PRINCIPLES, found)
    if as_json:
        typer.echo(json_line("principles", found.model_dump(mode="json")))
    else:
        print_principles(found)


@app.command()
def sensitivity(
    run: Run,
    pairs: Pairs = 200,
    other: Annotated[
        str, Option(metavar="FILE", help="A constitution about something else: a file, or the name of a shipped one.")
    ] = "unrelated",
    settings: Settings = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Ask about the same pairs under other constitutions: does the judge read its own?

    \b
      blank      no principle
      shuffled   the words of each principle in another order
      elsewhere  principles about something else (--other)
      inverted   the opposite of each principle

    A judge that reads gives other labels under all of them: where the truth is known, its accuracy falls to chance, and
    under inverted principles below it. One that has its own idea of a good answer hardly moves.

    \b
      [bold]solon labels sensitivity runs/demo[/bold]

    Asked about are pairs in which one answer is truly better, where that is known. Writes RUN/sensitivity.json; the
    run's report shows it (solon report RUN).
    """
    from solon.pipeline.asking_again import under_other_constitutions

    with _resumable(run), reporting(quiet, as_json) as reporter:
        found = under_other_constitutions(_sample(run, settings, pairs, reporter, decided=True), other)
    _keep(run, SENSITIVITY, found)
    if as_json:
        typer.echo(json_line("sensitivity", found.model_dump(mode="json")))
    else:
        print_sensitivity(found)


def _labels(
    run: Path, again: int | None, settings: list[str] | None, quiet: bool, as_json: bool
) -> tuple[RunLabels, Sequence[Comparison], Origin | None]:
    """Those of the run, or those that the judge gives now."""
    if again is None:
        return (own := RunLabels.of(run)), own.rows, None
    with reporting(quiet, as_json) as reporter:
        sample = _sample(run, settings, again, reporter)
        rows = sample.ask("labels")
        return sample.run, rows.records, sample.origin({"": rows})


def _sample(run: Path, settings: list[str] | None, count: int, reporter: Reporter, *, decided: bool = False) -> Sample:
    from solon.pipeline.asking_again import sample_of

    return sample_of(run, settings or (), count, reporter, decided=decided)


def _resumable(run: Path) -> AbstractContextManager[None]:
    require_run(run)
    return resumable_with(run, "give the same command again")


def _keep(run: Path, name: str, found: Record) -> None:
    with storage_errors(run):
        write_atomic(run / name, canonical_json(found, indent=2))
