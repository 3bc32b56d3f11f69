"""Options that several commands share, so that they are called the same and explained the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
    typer.Option("--prompts", metavar="FILE", help="Red-team prompts: JSONL, CSV, hh-rlhf.", rich_help_panel=INPUTS),
]
Helpful = Annotated[
    Path | None,
    typer.Option(
        "--helpful", metavar="FILE", help="Helpfulness comparisons: hh-rlhf or JSONL.", rich_help_panel=INPUTS
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only the result.", rich_help_panel=SHOWN)]
Json = Annotated[bool, typer.Option("--json", help="One JSON object per line, for programs.", rich_help_panel=SHOWN)]


def run_file_keys(
    *, model: Path | None, constitution: str | None, prompts: Path | None, helpful: Path | None, seed: int | None
) -> dict[str, object]:
    """These options by the key of the run file that each stands for; None where an option was not given."""
    return {
        "models.assistant": model,
        "constitution.path": constitution,
        "prompts.source": prompts,
        "prompts.helpful": helpful,
        "seed": seed,
    }
