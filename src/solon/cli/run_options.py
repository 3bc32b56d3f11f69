"""Options that several commands share, so that they are called the same and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from solon.errors import ConfigError

INPUTS = "Your own"
SHOWN = "What is shown"

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Run folder; the same run goes on. Default: runs/NAME."),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any key of the run file, e.g. --set rl.steps=60. Repeatable."),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the whole run.")]
Model = Annotated[
    Path | None,
    typer.Option("--model", metavar="DIR", help="Model folder, Hugging Face layout.", rich_help_panel=INPUTS),
]
Constitution = Annotated[
    str | None,
    typer.Option(
        "--constitution", metavar="FILE", help=".toml or .md file, or a shipped one's name.", rich_help_panel=INPUTS
    ),
]
Prompts = Annotated[
    Path | None,
    typer.Option(
        "--prompts",
        metavar="FILE",
        help="Red-team prompts: JSON, CSV, Parquet, Arrow, or hf:OWNER/NAME.",
        rich_help_panel=INPUTS,
    ),
]
Helpful = Annotated[
    Path | None,
    typer.Option(
        "--helpful",
        metavar="FILE",
        help="Helpfulness data: comparisons or answers, in any of these.",
        rich_help_panel=INPUTS,
    ),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=COLUMN",
        help="What a column is called in your files, e.g. prompt=question. Repeatable. "
        "Faulty rows and scores: prompts.* keys, docs/formats/prompts.md.",
        rich_help_panel=INPUTS,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.", rich_help_panel=SHOWN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.", rich_help_panel=SHOWN)]


def run_file_keys(
    *,
    model: Path | None,
    constitution: str | None,
    prompts: Path | None,
    helpful: Path | None,
    columns: Sequence[str] | None = None,
    seed: int | None,
) -> dict[str, object]:
    """These options by the key of the run file that each stands for; None where an option was not given."""
    return {
        "models.assistant": model,
        "constitution.path": constitution,
        "prompts.source": prompts,
        "prompts.helpful": helpful,
        **_columns(columns or ()),
        "seed": seed,
    }


def _columns(options: Sequence[str]) -> dict[str, object]:
    """Of one name here, every name that it has in the files."""
    names: dict[str, list[str]] = {}
    for option in options:
        name, _, column = (part.strip() for part in option.partition("="))
        if not name or not column or "." in name:
            raise ConfigError(f"--column {option}: expected NAME=COLUMN", hint="e.g. --column prompt=question")
        names.setdefault(f"prompts.columns.{name}", []).append(column)
    return dict(names)
