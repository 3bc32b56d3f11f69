"""Options that several commands share, so that they are called the same and explained the same everywhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from solon.artifacts.reuse import Others
from solon.errors import ConfigError, UserError

INPUTS = "Your own"
SHOWN = "What is shown"

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.", rich_help_panel=SHOWN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.", rich_help_panel=SHOWN)]


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How a run is carried on."""

    reuse: Annotated[
        list[Path] | None,
        typer.Option(
            "--reuse",
            metavar="RUN",
            help="Take finished stages over from this run, also if other versions made them. Repeatable. Runs in the "
            "same folder are looked at anyway.",
        ),
    ] = None
    no_reuse: Annotated[
        bool, typer.Option("--no-reuse", help="Do every stage here, whatever other runs have finished.")
    ] = False
    isolate: Annotated[
        bool | None,
        typer.Option(
            "--isolate/--no-isolate",
            help="Do each stage that uses a model in a process of its own, so that its memory is gone when it ends. "
            "Default: with models of 1 GiB and more.",
        ),
    ] = None
    quiet: Quiet = False
    as_json: Json = False

    def __post_init__(self) -> None:
        if self.no_reuse and self.reuse:
            raise UserError("--reuse and --no-reuse contradict each other", hint="leave one of them out")

    def others(self, run: Path) -> Others:
        """The runs whose stages a run may take over."""
        return Others() if self.no_reuse else Others.of(run, self.reuse or ())


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What a run is begun with."""

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


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command in which every parameter of a type above stands for all the options that the type has."""
    types = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: kind for name, kind in types.items() if is_dataclass(kind)}
    defaults: dict[str, object] = {}
    for parameter in inspect.signature(command).parameters.values():
        group = groups.get(parameter.name)
        defaults |= {f.name: f.default for f in fields(group)} if group else {parameter.name: parameter.default}
        types |= get_type_hints(group, include_extras=True) if group else {}

    @wraps(command)
    def flat(**given: Any) -> None:
        grouped = {name: kind(**{f.name: given.pop(f.name) for f in fields(kind)}) for name, kind in groups.items()}
        command(**given, **grouped)

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
