"""`solon run`, `stage`, `resume` and `report`: a run begun or found in its folder, carried on, and its result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from solon.artifacts.atomic import storage_errors
from solon.artifacts.finished import FinishedStage
from solon.artifacts.live import progress_kept
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder, run_config
from solon.cli import interrupts
from solon.cli import run_options as options
from solon.cli.faults import resumable, say_note
from solon.cli.results import print_result, print_stage
from solon.config.files import run_file_text, shipped_run_files
from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.errors import ConfigError, UserError
from solon.pipeline.check import check_inputs, check_processes, check_servers
from solon.pipeline.pinning import pin_models
from solon.pipeline.stage import Stage
from solon.pipeline.stages import STAGES, stages_of
from solon.progress import reporting

Tell = Callable[[str], None] | None
"""Says what is to be known before the run begins."""


def _command(until: Stage | None = None) -> Callable[..., None]:
    """`solon run`, or with a stage `solon stage NAME`."""

    def command(
        source: options.Source = None,
        output: options.Output = None,
        settings: options.Settings = None,
        seed: options.Seed = None,
        model: options.Model = None,
        constitution: options.Constitution = None,
        prompts: options.Prompts = None,
        helpful: options.Helpful = None,
        columns: options.Columns = None,
        reuse: options.Reuse = None,
        no_reuse: options.NoReuse = False,
        isolate: options.Isolate = None,
        cluster: options.Cluster = None,
        nproc: options.Processes = 1,
        quiet: options.Quiet = False,
        as_json: options.Json = False,
    ) -> None:
        options.refuse_both(reuse, no_reuse)
        if _follows(nproc):
            return
        tell = None if quiet or as_json else say_note
        keys = options.run_keys(model, constitution, prompts, helpful, columns, seed)
        if source is None or source in shipped_run_files() or not os.path.isdir(source):
            config = load_run_config(source, settings or (), keys, tell=tell)
            _require(until, config)
            run = _begin(source, output, config, tell, nproc)
        elif output or settings or any(value is not None for value in keys.values()):
            raise UserError(f"{source} is a run with its own settings", hint="leave out options that change settings")
        else:
            _require(until, run_config(Path(source)))
            run = _find(Path(source), tell, nproc)
        _carry_on(run, reuse, no_reuse, isolate, cluster, nproc, quiet, as_json, until=until)

    return command


run = _command()
run.__doc__ = """Run Constitutional AI from constitution to report.

    The run folder keeps every stage. Give the same command again, or `solon resume`, and the run continues where it
    stopped; a finished run prints its result again. If another run in the same folder has finished a stage with the
    same settings and inputs, this run reuses it.

    \b
      [bold]solon run -o runs/demo[/bold]
      [bold]solon run world-dpo -o runs/dpo[/bold]         DPO in the place of preference model and RL
      [bold]solon run mine/run.toml --set rl.steps=60[/bold]
      [bold]solon run --model ./my-model --constitution mine.toml --prompts red.jsonl --helpful good.jsonl[/bold]
    """

stages = typer.Typer(
    no_args_is_help=True,
    help="Run up to and including one stage.\n\nThis runs unfinished stages before it too. Look at the output, then "
    "run the next stage.\n\n\b\n  [bold]solon stage revisions mine/run.toml -o runs/mine[/bold]\n"
    "  [bold]solon stage sl runs/mine[/bold]\n  [bold]solon resume runs/mine[/bold]",
)
for _stage in STAGES:
    _runs = f" Of runs with {_stage.requires.says}." if _stage.requires else ""
    _help = f"{_stage.title}{_runs}\n\nKept in `{_stage.folder}` of the run folder."
    stages.command(_stage.name, help=_help)(_command(_stage))


def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The run folder.")],
    reuse: options.Reuse = None,
    no_reuse: options.NoReuse = False,
    isolate: options.Isolate = None,
    cluster: options.Cluster = None,
    nproc: options.Processes = 1,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Continue a run that was stopped.

    It continues where it stopped and ends with the same bytes as an uninterrupted run.

    \b
      [bold]solon resume runs/demo[/bold]
    """
    options.refuse_both(reuse, no_reuse)
    if _follows(nproc):
        return
    run = _find(folder, None if quiet or as_json else say_note, nproc)
    _carry_on(run, reuse, no_reuse, isolate, cluster, nproc, quiet, as_json)


def report(folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a finished run.")]) -> None:
    """Rewrite a run's report.html and print its result.

    \b
      [bold]solon report runs/demo[/bold]
    """
    from solon.report.data import load_report_data
    from solon.report.html import write_page

    run_config(folder)  # or this version cannot read it
    data = load_report_data(folder)
    FinishedStage.open(folder, "scores")  # or the summary tells of what is no longer there
    print_result(folder)  # first: it can be read where nothing can be written
    with storage_errors(folder):
        write_page(folder, data)


def _follows(processes: int) -> bool:
    """Whether torchrun started this process beside the first one; then it has helped that, and is done."""
    rank, size = _launched()
    if processes > 1 and size > 1:
        raise UserError("--nproc and torchrun both start processes", hint="leave out --nproc")
    if rank == 0 or size == 1:
        return False
    from solon.pipeline.torchrun import follow

    follow()
    return True


def _require(stage: Stage | None, config: RunConfig) -> None:
    """Raises `UserError` if a run has no such stage."""
    own = {one.name: one for one in stages_of(config)}
    if stage and stage.requires and stage.name not in own:
        trained = " and ".join(one.name for one in own.values() if one.trains)
        what = f"this run has no stage {stage.name}, which is of runs with {stage.requires.says}"
        raise UserError(what, hint=f"it trains {trained}")


def _begin(run_file: str | None, output: Path | None, config: RunConfig, tell: Tell, nproc: int) -> RunFolder:
    """The run of this config, begun in its folder or found there, once every input is checked."""
    check_processes(config, max(nproc, _launched()[1]))
    folder = output or _default_folder(config)
    config = pin_models(config, folder, tell)
    check_inputs(config, tell, servers=False)
    run = RunFolder.claim(folder, config, original=None if run_file is None else run_file_text(run_file))
    with _given_back(run):
        check_servers(config, run.path)
    run.begin()
    return run


def _find(folder: Path, tell: Tell, nproc: int) -> RunFolder:
    """The run in a folder. Its inputs are checked again: they may have been moved."""
    run = RunFolder.resume(folder)
    with _given_back(run):
        check_processes(run.config, max(nproc, _launched()[1]))
        check_inputs(run.config, tell, run=run.path)
    return run


def _launched() -> tuple[int, int]:
    """As `solon.train.parallel.launched` says, without importing torch."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


@contextmanager
def _given_back(run: RunFolder) -> Iterator[None]:
    """If the block fails, the folder is free again."""
    try:
        yield
    except BaseException:
        run.abandon()
        raise


def _default_folder(config: RunConfig) -> Path:
    """`runs/NAME`."""
    if config.name in ("", ".", "..") or {"/", "\0"} & set(config.name):
        raise ConfigError(f"no folder can be called {config.name!r}", hint="choose a folder with -o, or another name")
    return Path("runs") / config.name


def _carry_on(
    run: RunFolder,
    reuse: Sequence[Path] | None,
    no_reuse: bool,
    isolate: bool | None,
    cluster: str | None,
    processes: int,
    quiet: bool,
    as_json: bool,
    *,
    until: Stage | None = None,
) -> None:
    """Runs all that is not done yet, and prints the summary, or what the stage that it runs `until` made."""
    with (
        resumable(run.path),
        run,
        progress_kept(run.path, whole=until is None) as hear,
        reporting(quiet=quiet, as_json=as_json, heed=interrupts.heed, hear=hear) as reporter,
    ):
        reporter.note(f"run folder: {run.path}")
        others = OtherRuns() if no_reuse else OtherRuns.of(run.path, reuse or ())
        # Imported here because torch takes seconds to import: by now all that can be checked without it has been.
        from solon.pipeline.run import run_pipeline
        from solon.report.html import write_report

        last = until.name if until else None
        worked = run_pipeline(
            run, reporter, until=last, others=others, isolate=isolate, cluster=cluster, processes=processes
        )
        if until is None:
            write_report(run.path)
        if not worked:
            reporter.note("nothing to do: everything was finished before")
        reporter.done()
    if until is None:
        print_result(run.path, as_json=as_json)
    else:
        print_stage(run.path, until.folder, as_json=as_json)
