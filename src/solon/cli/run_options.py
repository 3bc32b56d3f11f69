"""Options that several commands share, so that they are called the same and explained the same everywhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from solon.errors import ConfigError

INPUTS = "Your own"
SHOWN = "What is shown"

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.", rich_help_panel=SHOWN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.", rich_help_panel=SHOWN)]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is begun with. Each field is an option of every command that `with_run_options` decorates."""

    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Run folder; the same run goes on. Default: runs/NAME."),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any key of the run file, e.g. --set rl.steps=60. Repeatable."),
    ] = None
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the whole run.")] = None
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="DIR", help="Model folder, Hugging Face layout.", rich_help_panel=INPUTS),
    ] = None
    constitution: Annotated[
        str | None,
        typer.Option(
            "--constitution", metavar="FILE", help=".toml or .md file, or a shipped one's name.", rich_help_panel=INPUTS
        ),
    ] = None
    prompts: Annotated[
        Path | None,
        typer.Option(
            "--prompts",
            metavar="FILE",
            help="Red-team prompts: JSON, CSV, Parquet, Arrow, or hf:OWNER/NAME.",
            rich_help_panel=INPUTS,
        ),
    ] = None
    helpful: Annotated[
        Path | None,
        typer.Option(
            "--helpful",
            metavar="FILE",
            help="Helpfulness data: comparisons or answers, in any of these.",
            rich_help_panel=INPUTS,
        ),
    ] = None
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="NAME=COLUMN",
            help="What a column is called in your files, e.g. prompt=question. Repeatable. "
            "Faulty rows and scores: prompts.* keys, docs/formats/prompts.md.",
            rich_help_panel=INPUTS,
        ),
    ] = None

    @property
    def given(self) -> bool:
        """Any of them was."""
        return any(getattr(self, field.name) not in (None, []) for field in fields(self))

    def run_file_keys(self) -> dict[str, object]:
        """By the key of the run file that each stands for; None where an option was not given."""
        return {
            "models.assistant": self.model,
            "constitution.path": self.constitution,
            "prompts.source": self.prompts,
            "prompts.helpful": self.helpful,
            **_columns(self.columns or ()),
            "seed": self.seed,
        }


def with_run_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameter `options` becomes the options of `RunOptions`, at its place among the others."""

    shared = {field.name: field.default for field in fields(RunOptions)}

    @wraps(command)
    def flat(**given: Any) -> None:
        options = RunOptions(**{name: given.pop(name) for name in shared})
        command(**given, options=options)

    defaults: dict[str, object] = {}
    for parameter in inspect.signature(command).parameters.values():
        defaults |= shared if parameter.name == "options" else {parameter.name: parameter.default}
    types = get_type_hints(RunOptions, include_extras=True) | get_type_hints(command, include_extras=True)
    flat.__annotations__ = {name: types[name] for name in defaults}
    flat.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=types[name])
            for name, default in defaults.items()
        ]
    )
    return flat


def _columns(options: Sequence[str]) -> dict[str, object]:
    """Of one name here, every name that it has in the files."""
    names: dict[str, list[str]] = {}
    for option in options:
        name, _, column = (part.strip() for part in option.partition("="))
        if not name or not column or "." in name:
            raise ConfigError(f"--column {option}: expected NAME=COLUMN", hint="e.g. --column prompt=question")
        names.setdefault(f"prompts.columns.{name}", []).append(column)
    return dict(names)
