"""The command line: a table of commands, each in a file of its own that is imported only when it is called.

To add one: write a function whose parameters are Typer's and whose docstring is its help, or a `typer.Typer` with
commands of its own, and add a row to `COMMANDS`. The row's help line is the first line of the docstring.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from solon import __version__
from solon.cli.faults import UNUSABLE, faults_explained, say_error

RUN, LOOK, INPUTS = "Run", "Look", "Inputs"


class Entry(NamedTuple):
    """One row of the table."""

    name: str
    target: str
    """`module:attribute`: a function, or a `typer.Typer`."""
    panel: str
    """The heading it stands under in `solon --help`."""
    help: str


COMMANDS: tuple[Entry, ...] = (
    Entry("run", "solon.cli.run:run", RUN, "Run Constitutional AI from constitution to report."),
    Entry("resume", "solon.cli.run:resume", RUN, "Continue a run that was stopped."),
    Entry("stage", "solon.cli.run:stages", RUN, "Run up to and including one stage."),
    Entry("init", "solon.cli.init:init", INPUTS, "Write a starter folder for your own model."),
    Entry("collect", "solon.cli.collect.app:app", INPUTS, "Public input: from votes to a constitution and a report."),
    Entry("report", "solon.cli.run:report", LOOK, "Rewrite a run's report.html and print its result."),
    Entry("export", "solon.cli.export:app", LOOK, "Export a run's training data for other trainers."),
    Entry("models", "solon.cli.models:app", INPUTS, "Check whether models can go through a run."),
    Entry("constitution", "solon.cli.constitution:app", INPUTS, "Check, read and import constitutions."),
    Entry("show", "solon.cli.show:show", LOOK, "Print training examples with their loss masks."),
    Entry("oracle", "solon.cli.oracle:oracle", LOOK, "Explain the oracle's verdict on an answer."),
    Entry("embedded", "solon.cli.embedded:app", LOOK, "Inspect, measure or retrain the embedded model."),
)


class Commands(TyperGroup):
    """Lists commands from the table without importing them, and explains what goes wrong in any of them."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {
            entry.name: TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.panel) for entry in COMMANDS
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed if name is None else load(name), rest

    def invoke(self, ctx: Any) -> Any:
        with faults_explained():
            return super().invoke(ctx)

    def main(self, *args: Any, **options: Any) -> Any:
        """As Typer's, but a wrong option is one line, like every other fault of the user's."""
        try:
            code = super().main(*args, **options | {"standalone_mode": False})
        except typer.TyperException as error:
            if message := error.format_message():  # empty when the help was printed instead
                context = getattr(error, "ctx", None)
                path = context.command_path if context else "solon"
                say_error(f"{message} (see: {path} --help)")
            code = UNUSABLE
        if not options.get("standalone_mode", True):
            return code
        sys.exit(code if isinstance(code, int) else 0)


def load(name: str) -> Any:
    """The command of that name, as Click knows it."""
    entry = next(entry for entry in COMMANDS if entry.name == name)
    module, attribute = entry.target.split(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        single = typer.Typer(add_completion=False)
        single.command(name)(found)
        found = single
    command = typer.main.get_command(found)
    command.name = name
    return command


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"solon {__version__}")
        raise typer.Exit


@app.callback(
    epilog="Exit codes: 0 success; 1 failure; 2 unusable input, one line per fault; 130 interrupted; 143 terminated."
)
def solon(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Constitutional AI in the open: a written constitution in, a measurably better model out.

    \b
    Watch it happen, offline, in minutes, on two CPU cores:
      [bold]solon run -o runs/demo[/bold]
    Use your own model, constitution and prompts:
      [bold]solon init mine[/bold]             write a starter folder
      [bold]solon run mine/run.toml[/bold]     run it
      [bold]solon resume runs/mine[/bold]      continue after an interruption
    """
