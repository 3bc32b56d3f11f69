"""`solon plan`: what a run will take."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer
from pydantic import ValidationError

from solon.cli import interrupts
from solon.cli import run_options as options
from solon.cli.faults import say_note
from solon.cli.results import print_table
from solon.config.load import load_run_config
from solon.config.models import ModelRole
from solon.config.run import RunConfig
from solon.errors import UserError, Where
from solon.lm.engines import reads_folder
from solon.pipeline.check import check_inputs
from solon.pipeline.pinning import pin_models
from solon.progress import reporting
from solon.records import first_error
from solon.text import duration

if TYPE_CHECKING:
    from solon.pipeline.plan import Plan

GIB = 1 << 30
Trial = Annotated[
    bool | None,
    typer.Option(help="Run the sample, to measure time and memory. Default: if no model of the run sits on a server."),
]
Saved = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A plan that --json printed, in the place of a new one."),
]
Rows = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Plan for N red-team prompts, and as many more of all others."),
]
Workers = Annotated[int, typer.Option(min=1, metavar="N", help="Share the rows of data stages among N workers.")]


def plan(
    source: options.Source = None,
    settings: options.Settings = None,
    seed: options.Seed = None,
    model: options.Model = None,
    constitution: options.Constitution = None,
    prompts: options.Prompts = None,
    helpful: options.Helpful = None,
    columns: options.Columns = None,
    trial: Trial = None,
    saved: Saved = None,
    rows: Rows = None,
    workers: Workers = 1,
    quiet: options.Quiet = False,
    as_json: options.JsonInstead = False,
) -> None:
    """Say what a run will take, before it takes it: calls, tokens, time, memory, cost.

    This walks through a small sample of the run without its models, and counts calls and tokens: at most, because
    every text counts as its limit. The memory of training is worked out from the shape of the model. Then this runs the
    sample and measures. Nothing is kept. The sample is one batch of red-team prompts through every stage, and as many
    fewer of all others: half of a run of 128, a hundredth of one of 6,400.

    \b
      [bold]solon plan mine/run.toml[/bold]
      [bold]solon plan mine/run.toml --no-trial[/bold]       counts alone, in seconds
      [bold]solon plan mine/run.toml --json > plan.json[/bold]
      [bold]solon plan --from plan.json --rows 1000000 --workers 64[/bold]
    """
    from solon.pipeline.plan import make_plan

    if saved is not None:
        found = _load(saved)
    else:
        keys = options.run_keys(model, constitution, prompts, helpful, columns, seed)
        tell = None if quiet or as_json else say_note
        config = pin_models(load_run_config(source, settings or (), keys, tell=tell), None, tell)
        wanted = _is_local(config) if trial is None else trial
        check_inputs(config, tell, servers=wanted)
        stream = sys.stderr if as_json else sys.stdout
        with reporting(quiet=quiet, stream=stream, heed=interrupts.heed) as reporter:
            found = make_plan(config, reporter, trial=wanted)
    found = found.scaled(rows or found.prompts, workers)
    if as_json:
        typer.echo(found.model_dump_json(indent=2))
    else:
        _print(found)


def _load(path: Path) -> Plan:
    from solon.pipeline.plan import Plan

    try:
        return Plan.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=Where(path)) from error
    except ValidationError as error:
        hint = "make one: solon plan RUN.toml --json > plan.json"
        raise UserError(f"not a plan: {first_error(error)}", where=Where(path), hint=hint) from error


def _is_local(config: RunConfig) -> bool:
    return all(reads_folder(config.models.role(role).engine) for role in get_args(ModelRole))


def _print(plan: Plan) -> None:
    title = f"{plan.prompts:,} red-team prompts, {plan.workers} worker{'s' * (plan.workers > 1)}"
    numbers = ("calls", "tokens read", "tokens written", "time")
    print_table(f"{title} (planned from {plan.sample:,})", ("stage", "model"), numbers, _rows(plan))
    if plan.cost:
        typer.echo(f"cost at most {plan.cost:,.2f}, by the prices of the run file")
    if needed := [f"{one.stage} {one.memory_bytes / GIB:.1f} GiB" for one in plan.stages if one.memory_bytes]:
        typer.echo(f"memory of training, by arithmetic: {', '.join(needed)}")
    if plan.seconds is None:
        typer.echo("Tokens are at most. No time without a trial: --trial runs the sample.")
        return
    peak = "" if plan.peak_bytes is None else f"; memory of a worker at its peak {plan.peak_bytes / GIB:.1f} GiB"
    typer.echo(
        f"time {duration(plan.seconds)}{peak}. Tokens are at most; the time is for texts as long as the trial's."
    )


def _rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    for stage in plan.stages:
        seconds = plan.seconds_of(stage)
        took = "" if seconds is None else duration(seconds)
        if not stage.asked and took:
            yield stage.stage, "", "", "", "", took
        for number, one in enumerate(stage.asked):
            counts = (f"{count:,}" for count in (one.calls, one.tokens_read, one.tokens_written))
            yield stage.stage if not number else "", one.role, *counts, took if not number else ""
