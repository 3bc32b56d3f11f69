"""From an order to its figures: what is to be made, made, drawn and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from solon.config.load import load_run_config
from solon.config.paths import EMBEDDED, EMBEDDED_MODELS
from solon.embedded.card import WEIGHTS
from solon.errors import Fault, InputError, ModelError, ProcessError, RunError, UserError, Where
from solon.figures.arms import every_arm
from solon.figures.experiment import Experiment
from solon.figures.figure import Figure
from solon.figures.page import write_figures
from solon.figures.plan import plan
from solon.figures.results import Results
from solon.figures.tasks import Place, Task, parameters
from solon.figures.work import do_tasks
from solon.models.where import model_folder
from solon.progress import Reporter

FULL, QUICK = "figures", "figures-quick"
SEEDS = {FULL: 3, QUICK: 1}
ITEMS = {FULL: 200, QUICK: 40}
"""Questions of each task. Three seeds of 200 show differences of 4 points."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the user asks for."""

    dose: str = FULL
    """Name or path of a run file."""
    seeds: int | None = None
    models: tuple[str, ...] = ()
    """Empty: that of the dose, or, if it is the shipped one, all that ship."""
    runs: Path | None = None


def dose_of(given: str | None, *, quick: bool) -> str:
    """Raises `UserError` if two are asked for."""
    if given and quick:
        raise UserError("--quick and --dose are two doses", hint="leave one of them out")
    return given or (QUICK if quick else FULL)


def ordered(order: Order) -> tuple[Place, list[str]]:
    """Where and of what the set is made, and what is to be said before. Raises `UserError`, `ModelError`.

    A dose of the user's has one seed unless they say otherwise, and as many questions as the quick one.
    """
    dose, config = order.dose, load_run_config(order.dose)
    assistant = config.models.assistant.path
    if order.models or assistant != EMBEDDED:
        models, missing = _given(order.models or (assistant,)), list[str]()
    else:
        models, missing = _shipped()
    place = Place(
        runs=order.runs or Path("runs") / config.name,
        dose=dose,
        seeds=tuple(range(order.seeds or SEEDS.get(dose, 1))),
        models=largest_first(models),
        items=ITEMS.get(dose, ITEMS[QUICK]),
    )
    return place, missing


def _shipped() -> tuple[tuple[str, ...], list[str]]:
    """Those that have weights; the largest must."""
    model_folder(EMBEDDED)
    found, missing = [EMBEDDED], []
    for name in (one for one in EMBEDDED_MODELS if one != EMBEDDED):
        try:
            model_folder(name)
        except ModelError as error:
            missing.append(f"left out: {error}")
        else:
            found.append(name)
    return tuple(found), missing


def largest_first(models: Sequence[str]) -> tuple[str, ...]:
    """By their parameters; of two that have as many, the one that was given first."""
    return tuple(sorted(models, key=parameters, reverse=True))


def _given(models: Sequence[str]) -> tuple[str, ...]:
    names = [Path(model).name for model in models]
    if twice := {name for name in names if names.count(name) > 1}:
        what = f"two models are called {min(twice)}, and runs are named by it"
        raise UserError(what, hint="give one of the folders another name")
    for model in models:
        if not (model_folder(model) / WEIGHTS).is_file():
            hint = "give a folder that `solon embedded pretrain` made, or the name of a shipped model"
            raise ModelError(f"no {WEIGHTS} there", where=Where(model), hint=hint)
    return tuple(model if model in EMBEDDED_MODELS else str(Path(model).absolute()) for model in models)


def require_folder(path: Path, option: str) -> None:
    """Makes a folder where there is none. Raises `InputError` if it cannot be one."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        what = f"cannot be a folder: {error.strerror}"
        raise InputError(what, where=Where(path), hint=f"name another with {option}") from error


def tasks_of(experiments: Sequence[Experiment], place: Place) -> list[Task]:
    """Everything that these read, made before or not."""
    return plan([one.needs(place) for one in experiments], place, every_arm(place.models))


@dataclass(frozen=True, kw_only=True)
class Made:
    """What came of an order."""

    figures: Sequence[Figure]
    missing: Mapping[str, Sequence[RunError | ProcessError]]
    """By the key of each figure that was not made, why: its tasks that failed."""

    def require_all(self) -> None:
        """Raises `RunError` if a figure is missing, and the user can mend all of it, else `ProcessError`; each task
        that failed is told once."""
        if not self.missing:
            return
        errors = {id(error): error for own in self.missing.values() for error in own}.values()
        what = f"not made: figure {', figure '.join(self.missing)}"
        faults = [fault for error in errors if isinstance(error, RunError) for fault in error.faults]
        if len(faults) < len(errors):
            raise ProcessError(f"{what}: {'; '.join(map(str, errors))}")
        raise RunError([Fault(what, hint="see below, then give the same command again"), *faults])


def make_figures(
    experiments: Sequence[Experiment],
    place: Place,
    folder: Path,
    order: Sequence[str],
    reporter: Reporter,
    *,
    jobs: int,
    threads: int,
    launch: Sequence[str] = (),
) -> Made:
    """Makes what is left to make, draws, and writes each figure as soon as it is drawn; one that lacks something is
    left out. `order`: keys of all experiments, as the page has them; the others as of `do_tasks`."""
    tasks = tasks_of(experiments, place)
    failed = do_tasks(tasks, place.runs, reporter, jobs=jobs, threads=threads, launch=launch)
    results, made, missing = Results(place=place), list[Figure](), dict[str, list[RunError | ProcessError]]()
    reporter.stage("drawing", len(experiments))
    for one in experiments:
        own = tasks_of([one], place)
        if lost := [failed[name] for name in _before(own, tasks) if name in failed]:
            missing[one.key] = lost
        else:
            made.append(one.figure(results, [task.command for task in own]))
            write_figures(made[-1:], folder, order)
        reporter.advance(1, 0)
    return Made(figures=made, missing=missing)


def _before(own: Sequence[Task], tasks: Sequence[Task]) -> list[str]:
    """The names of these tasks and of all that come before them, as all figures together have them."""
    after = {task.name: task.after for task in tasks}
    found, new = dict[str, None](), [task.name for task in own]
    while new:
        found |= dict.fromkeys(new)
        new = [name for one in new for name in after.get(one, ()) if name not in found]
    return list(found)
