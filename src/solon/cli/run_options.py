"""Options that several commands share, so that they are called the same and explained the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from solon.errors import ConfigError, UserError
from solon.pipeline.joining import join


def refuse_option(output: Path | None) -> Path | None:
    """The folder. Raises `UserError` if `-o` took the option behind it for its folder."""
    if str(output).startswith("-"):
        raise UserError(f"-o expects a folder, got {output}", hint=f"for a folder of that name: -o ./{output}")
    return output


def join_cluster(address: str | None) -> str | None:
    """The address. Raises `UserError` if no cluster can be joined there."""
    if address:
        join(address)
    return address


def _own(metavar: str, help: str, *names: str) -> Any:
    return Option(*names, metavar=metavar, help=help, rich_help_panel="Your own")


Quiet = Annotated[bool, Option("--quiet", "-q", help="Print only the result.", rich_help_panel="Output")]
Json = Annotated[bool, Option("--json", help="Print one JSON object per line, for programs.", rich_help_panel="Output")]
JsonInstead = Annotated[bool, Option("--json", help="Print JSON instead of text.")]
Reuse = Annotated[
    list[Path] | None,
    Option(
        metavar="RUN",
        help="Reuse finished stages of this run, even if another version made them. Repeatable. Runs in the same "
        "folder are reused anyway.",
    ),
]
NoReuse = Annotated[bool, Option("--no-reuse", help="Run every stage; reuse nothing from other runs.")]
Isolate = Annotated[
    bool | None,
    Option(
        help="Run each stage that uses a model in a process of its own, so that its memory is free when it ends. "
        "Default: with models of 1 GiB and more.",
    ),
]
Cluster = Annotated[
    str | None,
    Option(
        metavar="ADDRESS",
        callback=join_cluster,
        help="Make rows that ask a model on this Ray cluster: HOST:PORT, or auto for the one that this machine belongs "
        "to. Training stays here.",
    ),
]
Processes = Annotated[
    int,
    Option(
        "--nproc",
        metavar="N",
        min=1,
        help="Train in N processes of this machine, each on its share of every batch and, if there are GPUs, on one of "
        "its own. A run may go on with another number. For several machines: torchrun -m solon run ...",
    ),
]
Output = Annotated[
    Path | None,
    Option(
        *("--output", "-o"),
        metavar="DIR",
        callback=refuse_option,
        help="The run folder. If it holds this run, continue it. Default: runs/NAME.",
    ),
]
Source = Annotated[
    str | None,
    Argument(
        metavar="RUN",
        help="A run file, the name of a shipped one, or a run folder to continue. Without it: the shipped world run, "
        "or, if you give --prompts, the defaults.",
    ),
]
Settings = Annotated[
    list[str] | None,
    Option("--set", metavar="KEY=VALUE", help="Set a key of the run file: --set rl.steps=60. Repeatable."),
]
Seed = Annotated[int | None, Option(metavar="N", help="The seed of the whole run.")]
Model = Annotated[
    str | None,
    _own("MODEL", "The assistant's model: a model folder, or OWNER/NAME\\[@REVISION] on the Hugging Face Hub."),
]
Constitution = Annotated[str | None, _own("FILE", "A .toml or .md file, or the name of a shipped constitution.")]
Prompts = Annotated[Path | None, _own("FILE", "Red-team prompts: JSON, CSV, Parquet, Arrow, or hf:OWNER/NAME.")]
Helpful = Annotated[Path | None, _own("FILE", "Helpfulness data: comparisons or answers, in any of these formats.")]
Columns = Annotated[
    list[str] | None,
    _own(
        "NAME=COLUMN",
        "The name of a column in your files: --column prompt=question. Repeatable. For faulty rows and scores, see "
        "docs/formats/prompts.md.",
        "--column",
    ),
]


def run_keys(
    model: str | None,
    constitution: str | None,
    prompts: Path | None,
    helpful: Path | None,
    columns: Sequence[str] | None,
    seed: int | None,
) -> dict[str, object]:
    """The keys of the run file that these options set; None: not given."""
    return {
        "models.assistant": model,
        "constitution.path": constitution,
        "prompts.source": prompts,
        "prompts.helpful": helpful,
        **column_keys(columns or ()),
        "seed": seed,
    }


def column_keys(options: Sequence[str]) -> dict[str, object]:
    """The keys of the run file that `--column` sets: for each name here, every name that it has in the files."""
    names: dict[str, list[str]] = {}
    for option in options:
        name, _, column = (part.strip() for part in option.partition("="))
        if not name or not column or "." in name:
            raise ConfigError(f"--column {option}: expected NAME=COLUMN", hint="e.g. --column prompt=question")
        names.setdefault(f"prompts.columns.{name}", []).append(column)
    return dict(names)


def refuse_both(reuse: Sequence[Path] | None, no_reuse: bool) -> None:
    """Raises `UserError` if they contradict each other."""
    if no_reuse and reuse:
        raise UserError("--reuse and --no-reuse contradict each other", hint="leave one of them out")
