"""What `solon run`, `solon resume` and `solon stage` share: begin or find a run, carry it on, print what it gave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from solon.artifacts import Counts, Manifest, RunFolder
from solon.artifacts.manifest import MANIFEST
from solon.cli import interrupts
from solon.cli.faults import resumable
from solon.cli.run_options import RunOptions, WorkOptions
from solon.config import RunConfig
from solon.config_load import load_run_config, run_file_text
from solon.errors import ConfigError, UserError
from solon.progress import Reporter, reporting
from solon.text import printable

if TYPE_CHECKING:
    from solon.evals.summary import Summary
    from solon.pipeline.stage import Stage

SUMMARY, REPORT = "summary.json", "report.html"


def begun(run_file: str | None, options: RunOptions) -> RunFolder:
    """The run that file and options describe, in its folder; begun, or found there. Every input is looked at first."""
    from solon.pipeline.check import check_inputs

    if options.output is not None:
        refuse_option(options.output)
    config = load_run_config(run_file, options.settings or (), options.run_file_keys())
    folder = options.output or default_folder(config)
    check_inputs(config)
    return RunFolder.create(folder, config, original=None if run_file is None else run_file_text(run_file))


def refuse_option(output: Path) -> None:
    """Raises `UserError` if `-o` took the option behind it for its folder."""
    if str(output).startswith("-"):
        raise UserError(f"-o needs a folder, and took {output} for one", hint=f"a folder of that name: -o ./{output}")


def found(folder: Path) -> RunFolder:
    """The run in a folder. Its inputs are looked at again: they may have been moved."""
    from solon.pipeline.check import check_inputs

    run = RunFolder.resume(folder)
    try:
        check_inputs(run.config)
    except UserError:
        run.close()
        raise
    return run


def default_folder(config: RunConfig) -> Path:
    """`runs/NAME`."""
    if config.name in ("", ".", "..") or "/" in config.name:
        raise ConfigError(f"no folder can be called {config.name!r}", hint="choose a folder with -o, or another name")
    return Path("runs") / config.name


def carry_on(run: RunFolder, work: WorkOptions, *, until: Stage | None = None) -> None:
    """Run all that is not done yet, and print the result: the summary, or the account of the stage it runs `until`."""
    with resumable(run.path), run, reporting(quiet=work.quiet, as_json=work.as_json) as reporter:
        reporter.note(f"run folder: {run.path}")
        others = work.others(run.path)
        # Imported here because torch takes seconds to import: by now all that can be checked without it has been.
        from solon.pipeline.run import run_pipeline
        from solon.report.html import write_report

        last = until.name if until else None
        worked = run_pipeline(run, _Interruptible(reporter), until=last, others=others, isolate=work.isolate)
        if until is None:
            write_report(run.path)
        if not worked:
            reporter.note("nothing was left to do: this was finished before")
        reporter.done()
    if until is not None:
        print_stage(run.path, until.folder, as_json=work.as_json)
    else:
        print_result(run.path, as_json=work.as_json)


class _Interruptible:
    """Passes on to a reporter, and heeds signals before a step is kept."""

    def __init__(self, reporter: Reporter):
        self._reporter, self.stage = reporter, reporter.stage
        self.reused, self.recovered, self.note = reporter.reused, reporter.recovered, reporter.note
        self.done, self.close = reporter.done, reporter.close

    def advance(self, rows: int, tokens: int) -> None:
        interrupts.heed()
        self._reporter.advance(rows, tokens)


def print_result(run: Path, *, as_json: bool = False) -> None:
    """The answer of a finished run. As JSON: one line, the keys of `summary.json` and `event`."""
    from solon.evals.summary import read_summary

    summary = read_summary(run / SUMMARY)
    if as_json:
        print_json("summary", summary.model_dump(mode="json"))
    else:
        print_answer(summary, run)


def print_answer(summary: Summary, run: Path) -> None:
    """The table, and where the files are."""
    from rich.console import Console

    from solon.report.console import print_summary

    console = Console(highlight=False)
    print_summary(summary, console)
    typer.echo(f"\n{printable(str(run / SUMMARY))}\n{printable(str(run / REPORT))}")


def print_stage(run: Path, folder: str, *, as_json: bool = False) -> None:
    """What one stage was given, made and left out. As JSON: one line, the keys of its manifest and `event`."""
    manifest = Manifest.model_validate_json((run / folder / MANIFEST).read_bytes())
    if as_json:
        print_json("manifest", manifest.model_dump(mode="json", by_alias=True))
        return
    print_counts(str(run / folder), manifest.counts)
    typer.echo(printable(f"to go on: solon resume {run}"))


def print_counts(name: str, counts: Counts) -> None:
    """Rows in and out, and below them what was left out and what else was counted."""
    typer.echo(printable(f"{name}: {counts.rows_in} in, {counts.rows_out} out"))
    for reason, number in counts.dropped.items():
        typer.echo(printable(f"  left out, {reason}: {number}"))
    for what, number in counts.other.items():
        typer.echo(printable(f"  {what}: {number}"))


def print_json(event: str, facts: Mapping[str, object]) -> None:
    """One line, in the manner of the other events of `--json`."""
    typer.echo(json.dumps({"event": event, **facts}).replace("\x7f", "\\u007f"))
