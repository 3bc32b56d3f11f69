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


def _own(name: str, metavar: str, help: str) -> Any:
    """An option for something of the user's."""
    return typer.Option(name, metavar=metavar, help=help, rich_help_panel="Your own")


def _shown(name: str, *names: str, help: str) -> Any:
    return typer.Option(name, *names, help=help, rich_help_panel="Output")


Quiet = Annotated[bool, _shown("--quiet", "-q", help="Print only the result.")]
Json = Annotated[bool, _shown("--json", help="Print one JSON object per line, for programs.")]


@dataclass(frozen=True, kw_only=True)
class WorkOptions:
    """How a run is carried on."""

    reuse: Annotated[
        list[Path] | None,
        typer.Option(
            "--reuse",
            metavar="RUN",
            help="Reuse finished stages of this run, even if another version made them. Repeatable. Runs in the same "
            "folder are reused anyway.",
        ),
    ] = None
    no_reuse: Annotated[bool, typer.Option("--no-reuse", help="Run every stage; reuse nothing from other runs.")] = (
        False
    )
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
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="The run folder. If it holds this run, continue it. Default: runs/NAME.",
        ),
    ] = None
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the run file: --set rl.steps=60. Repeatable."),
    ] = None
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="The seed of the whole run.")] = None
    model: Annotated[Path | None, _own("--model", "DIR", "The assistant's model: a Hugging Face model folder.")] = None
    constitution: Annotated[
        str | None, _own("--constitution", "FILE", "A .toml or .md file, or the name of a shipped constitution.")
    ] = None
    prompts: Annotated[
        Path | None, _own("--prompts", "FILE", "Red-team prompts: JSON, CSV, Parquet, Arrow, or hf:OWNER/NAME.")
    ] = None
    helpful: Annotated[
        Path | None, _own("--helpful", "FILE", "Helpfulness data: comparisons or answers, in any of these formats.")
    ] = None
    columns: Annotated[
        list[str] | None,
        _own(
            "--column",
            "NAME=COLUMN",
            "The name of a column in your files: --column prompt=question. Repeatable. For faulty rows and scores, "
            "see docs/formats/prompts.md.",
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


def refuse_option(output: Path) -> None:
    """Raises `UserError` if `-o` took the option behind it for its folder."""
    if str(output).startswith("-"):
        raise UserError(f"-o expects a folder, got {output}", hint=f"for a folder of that name: -o ./{output}")


def _columns(options: Sequence[str]) -> dict[str, object]:
    """Of one name here, every name that it has in the files."""
    names: dict[str, list[str]] = {}
    for option in options:
        name, _, column = (part.strip() for part in option.partition("="))
        if not name or not column or "." in name:
            raise ConfigError(f"--column {option}: expected NAME=COLUMN", hint="e.g. --column prompt=question")
        names.setdefault(f"prompts.columns.{name}", []).append(column)
    return dict(names)
