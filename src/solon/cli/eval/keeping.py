"""Keeping the result of an evaluation in a run's folder, where the run's report finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from solon.artifacts.finished import FinishedStage, require_run
from solon.artifacts.run_folder import run_config
from solon.cli.faults import say_note
from solon.errors import UserError
from solon.evals.kept import check_name, evaluation_of, keep
from solon.records import Record

TRAINED = ("sl", "rl", "dpo", "pm")
"""Models of a run by the name of their stage."""
Run = Annotated[
    Path | None,
    Option(
        "--run",
        metavar="RUN",
        help="Keep the result in RUN/evaluations; `solon report RUN` then shows it. --model may be a model of the "
        "run: base, sl, rl, dpo or pm.",
    ),
]
Name = Annotated[
    str | None,
    Option("--name", metavar="NAME", help="What the result is called there. Default: the command and the model."),
]


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Where a result goes; nowhere without a run. Raises `RunError` if there is no run."""

    run: Path | None
    name: str | None
    model: str | None
    """As it was given."""

    def __post_init__(self) -> None:
        if self.run is not None:
            require_run(self.run)
            check_name(self.called("any"))
        elif self.name is not None:
            raise UserError("only with --run: --name", hint="it is the name of a result in a run's folder")

    @property
    def place(self) -> str | None:
        """Where the model lies, if it is one of the run's; else as it was given. Raises `RunError` if the run has not
        finished it."""
        if self.run is not None and self.model == "base":
            return run_config(self.run).models.role("base").path
        if self.run is not None and self.model in TRAINED:
            FinishedStage.open(self.run, f"models/{self.model}")
            return str(self.run / "models" / self.model / "model")
        return self.model

    def called(self, command: str) -> str:
        """Example: `hhh-rl`; of a model that is none of the run's, its own name."""
        model = self.model or ""
        whose = model if model in ("base", *TRAINED) else re.sub(r"[^A-Za-z0-9._-]+", "-", Path(model).name)
        return self.name or "-".join(filter(None, (command, whose)))

    def __call__(self, context: typer.Context, result: Record) -> None:
        """Writes the result and says where. Raises `UserError` if it has no figure."""
        if self.run is None:
            return
        command = str(context.info_name)
        try:
            found = evaluation_of(command, self.model or "", result.model_dump(mode="json"))
        except ValueError:
            raise UserError("there is no figure to keep", hint="nothing could be measured") from None
        say_note(f"kept in {keep(self.run, self.called(command), found)}")
