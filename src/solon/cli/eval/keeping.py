"""A run's models that are asked as the run asks them, and results that are kept in its folder for its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from typer import Option

from solon.artifacts.finished import FinishedStage, require_run
from solon.cli.eval.options import were_given
from solon.cli.faults import say_note
from solon.config.evaluations import EVALUATED
from solon.errors import UserError
from solon.evals.kept import Evaluation, check_name, keep, name_of
from solon.progress import json_line, reporting

if TYPE_CHECKING:
    from solon.config.evaluations import PublishedSection
    from solon.evals.tasks import Outcome

Run = Annotated[
    Path | None,
    Option(
        "--run",
        metavar="RUN",
        help="Keep the result in RUN/evaluations; `solon report RUN` then shows it. --model is one of the run, e.g. "
        "base or rl, and is asked as the run asks it.",
    ),
]
Name = Annotated[
    str | None,
    Option("--name", metavar="NAME", help="What the result is called there. Default: the command and the model."),
]
Replace = Annotated[bool, Option("--replace", help="It may take the place of another result of the same name.")]
_AS_THE_RUN = ("engine", "seed", "settings", "resamples")


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """Where a result goes; nowhere without a run. Raises `RunError` if there is no run, `UserError` if the model is
    none of its `models`."""

    run: Path | None
    name: str | None
    replace: bool
    model: str | None
    """As it was given; None: answers are scored as they are."""
    models: tuple[str, ...] = EVALUATED

    def __post_init__(self) -> None:
        if self.run is None:
            if self.name is not None or self.replace:
                raise UserError("only with --run: --name, --replace", hint="they are for results in a run's folder")
            return
        require_run(self.run)
        if self.name is not None:
            check_name(self.name)
        elif self.model is None:
            raise UserError("--run needs a name for what is said of given answers", hint="e.g. --name gsm8k-rl")
        if self.model is not None and self.model not in self.models:
            raise UserError(f"--run asks models of the run: {', '.join(self.models)}", hint=f"not {self.model}")

    @property
    def of_run(self) -> bool:
        """Whether a model of the run is asked."""
        return self.run is not None and self.model is not None

    def ask(self, context: typer.Context, task: str, section: PublishedSection, *, as_json: bool) -> None:
        """Asks the run's model, prints the results and keeps them."""
        from solon.pipeline.asking_models import ask_model

        assert self.run is not None
        assert self.model is not None
        if idle := were_given(context, _AS_THE_RUN):
            raise UserError(f"not with --run: {', '.join(idle)}", hint="the model is asked as the run file says")
        if section.data is None:
            raise UserError("--model needs the published file", hint="--data FILE")
        with reporting(quiet=as_json) as reporter:
            found = ask_model(self.run, self.model, task, section, reporter)
        print_and_keep(self.run, found, name=self.name, replace=self.replace, as_json=as_json)

    def keep_answers(self, task: str, outcomes: Sequence[Outcome], data: Path | None) -> None:
        """What is said of given answers. data: where they, or their items, are from."""
        from solon.data.rows import fingerprints
        from solon.evals.evaluation import evaluations
        from solon.evals.tasks.every import MEASURES

        if self.run is not None and data is not None:
            found = evaluations({"": outcomes}, MEASURES[task], seed=0)
            self.keep([one.of({}, data=fingerprints(data)[""]) for one in found])

    def keep(self, found: Sequence[Evaluation]) -> None:
        if self.run is not None:
            _keep(self.run, found, self.name, self.replace)


def print_and_keep(
    run: Path, found: Sequence[Evaluation], *, name: str | None = None, replace: bool, as_json: bool
) -> None:
    """They are shown even if they cannot be kept. As JSON, a line for each."""
    print_found(found, as_json=as_json)
    _keep(run, found, name, replace)


def print_found(found: Sequence[Evaluation], *, as_json: bool) -> None:
    from solon.report.evaluated import print_evaluations

    if as_json:
        for one in found:
            typer.echo(json_line("evaluation", one.model_dump(mode="json")))
    else:
        print_evaluations({name_of(one): one for one in found}, Console(highlight=False))


def _keep(run: Path, found: Sequence[Evaluation], name: str | None, replace: bool) -> None:
    if not found:
        raise UserError("there is no figure to keep", hint="nothing could be measured")
    at = ["" if len(found) == 1 or one.temperature is None else f"-t{one.temperature:g}" for one in found]
    named = {f"{name}{end}" if name else name_of(one): one for one, end in zip(found, at, strict=True)}
    for path in keep(run, named, replace=replace):
        say_note(f"kept in {path}")


def model_folder_of(run: Path, stage: str) -> Path:
    """Of a model that the run trained. Raises `RunError` if it has not finished it."""
    return FinishedStage.open(run, f"models/{stage}").path("model")
