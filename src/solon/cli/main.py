"""The command line: tables of commands, each in a file that is imported only when the command is called.

To add one: write a function whose parameters are Typer's and whose docstring is its help, or a `typer.Typer` with
commands of its own, and add a row to `COMMANDS`. The row's help line is the first line of the docstring.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any, ClassVar, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from solon import __version__
from solon.cli.faults import UNUSABLE, faults_explained, say_error

RUN, LOOK, INPUTS = "Run", "Look", "Inputs"


class Entry(NamedTuple):
    """One row of a table."""

    name: str
    target: str
    """`.module:attribute` below `solon.cli`: a function, or a `typer.Typer`."""
    help: str
    panel: str = "Commands"
    """The heading it stands under in `--help`."""


COMMANDS: tuple[Entry, ...] = (
    Entry("run", ".run:run", "Run Constitutional AI from constitution to report.", RUN),
    Entry(
        "plan", ".plan:plan", "Say what a run will take, before it takes it: calls, tokens, time, memory, cost.", RUN
    ),
    Entry("resume", ".run:resume", "Continue a run that was stopped.", RUN),
    Entry("stage", ".run:stages", "Run up to and including one stage.", RUN),
    Entry("figures", ".figures:figures", "Reproduce the figures of the Constitutional AI paper on the testbed.", RUN),
    Entry("town", ".town:town", "Let a simulated public vote, and train a model on what it agrees on.", RUN),
    Entry("init", ".init:init", "Write a starter folder for your own model.", INPUTS),
    Entry("collect", ".collect.app:app", "Public input: from votes to a constitution and a report.", INPUTS),
    Entry(
        "serve",
        ".serve:serve",
        "Serve the site: people vote and compare answers, members look at runs and talk to models.",
        INPUTS,
    ),
    Entry("site", ".site:app", "Back up, restore and tidy the site of `solon serve`.", INPUTS),
    Entry("report", ".run:report", "Rewrite a run's report.html and print its result.", LOOK),
    Entry("eval", ".eval.app:app", "Evaluate a model, or its answers, on published files.", LOOK),
    Entry("elo", ".elo:elo", "Rate players by the games between them.", LOOK),
    Entry("compare", ".compare:compare", "Lay two finished runs side by side: which differences are no noise.", LOOK),
    Entry(
        "trace", ".trace:trace", "Walk from any id back to principles and votes, and forward to what it changed.", LOOK
    ),
    Entry("labels", ".labels:app", "Measure a run's labels: their quality, and whether the judge reads.", LOOK),
    Entry("export", ".export:app", "Hand a run over to other engines: data, models and run files.", LOOK),
    Entry("models", ".models:app", "Import models, and check whether they can go through a run.", INPUTS),
    Entry("prompts", ".prompts:app", "Write prompts with a model, from a few examples.", INPUTS),
    Entry("constitution", ".constitution:app", "Check, read, import and export constitutions.", INPUTS),
    Entry("chat", ".chat:chat", "Talk to the models of a run, or to any other.", LOOK),
    Entry("show", ".show:show", "Print training examples with their loss masks.", LOOK),
    Entry("oracle", ".oracle:oracle", "Explain the oracle's verdict on an answer.", LOOK),
    Entry("embedded", ".embedded:app", "Inspect, measure or retrain the embedded model.", LOOK),
)


class Commands(TyperGroup):
    """Lists the commands of a table without importing them."""

    table: ClassVar[tuple[Entry, ...]]

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = {
            entry.name: TyperCommand(entry.name, help=entry.help, rich_help_panel=entry.panel) for entry in self.table
        }

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, next((load(entry) for entry in self.table if entry.name == name), listed), rest


class Solon(Commands):
    """All commands; explains what goes wrong in any of them."""

    table = COMMANDS

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


def load(entry: Entry) -> Any:
    """The command of an entry, as Click knows it."""
    module, attribute = entry.target.split(":")
    found = getattr(import_module(module, __package__), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        single = typer.Typer(add_completion=False)
        single.command()(found)
        command = typer.main.get_command(single)
    command.name = entry.name
    return command


app = typer.Typer(
    cls=Solon,
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
