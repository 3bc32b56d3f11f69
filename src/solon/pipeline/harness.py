"""EleutherAI's lm-evaluation-harness on models of a run: everything that Solon has no evaluation of its own for.

The harness asks the models, by its own code and transformers; Solon takes its samples, so that intervals, and how
models differ item by item, are made as for its own evaluations. A figure that is no mean of the samples' values has the
harness's value and, where that gives one, its standard error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isclose, isfinite, log
from pathlib import Path
from typing import Any

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import run_config
from solon.config.evaluations import EVALUATED
from solon.errors import ConfigError, UserError, Where
from solon.evals.evaluation import evaluations
from solon.evals.kept import Evaluation, Metric
from solon.evals.statistics import Z95, grouped
from solon.evals.tasks import Outcome, Statistic, outcome, spread
from solon.evals.tasks.apart import held_apart, warnings
from solon.models.load import load_tokenizer
from solon.models.where import model_folder
from solon.pipeline.asking_models import taught

Found = Mapping[str, Any]
"""What the harness returns of one model."""
_OF_LIKELIHOOD = ("perplexity", "bits_per_byte")
"""Ends of the names of measures whose samples are pairs: a log-likelihood in nats, and the words or bytes it is of."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How models are asked."""

    limit: int | None
    """At most so many documents of each task. None: all."""
    shots: int | None
    """Examples. None: as the task says."""
    chat: bool
    """By each model's chat template."""
    dtype: str
    device: str
    seed: int

    @property
    def told(self) -> tuple[str, ...]:
        """What is kept with a result: what changes which questions are asked, and how."""
        given = {"limit": self.limit, "fewshot": self.shots}
        numbers = (f"{key}={value}" for key, value in given.items() if value is not None)
        return (*numbers, *(["chat"] if self.chat else []))


def require_harness() -> None:
    """Raises `ConfigError` if it is not installed."""
    if find_spec("lm_eval") is None:
        raise ConfigError("lm-evaluation-harness is missing", hint="pip install 'solon[lm-eval]'")


def models_of(folder: Path) -> tuple[Path | None, dict[str, Path]]:
    """(the run, its models by name): all of a run's folder, or the one that a path below it leads to; a folder that is
    of no run is a model of its own name. Raises `UserError` if there is none."""
    if (folder / "run.json").is_file():
        trained: dict[str, Path] = {name: folder / "models" / name for name in EVALUATED}
        found = {name: stage / "model" for name, stage in trained.items() if (stage / "manifest.json").is_file()}
        return folder, {"base": model_folder(run_config(folder).models.role("base").path), **found}
    run = folder.absolute().parents[2] if len(folder.absolute().parents) > 2 else folder
    if (run / "run.json").is_file() and folder.parent.parent.name == "models":
        FinishedStage.open(run, f"models/{folder.parent.name}")
        return run, {folder.parent.name: folder}
    if not (folder / "config.json").is_file():
        raise UserError("holds neither a run nor a model", where=Where(folder), hint="give RUN, or RUN/models/rl/model")
    return None, {folder.name: folder}


def tasks_of(names: Sequence[str], include: Path | None) -> Any:
    """The harness's list of tasks: those of a folder, or, which takes seconds, also all of its own. Raises `UserError`
    if one of the names is not there."""
    from lm_eval.tasks import TaskManager

    unknown: Sequence[str] = names
    for own in (False, True) if include else (True,):
        manager = TaskManager(include_path=None if include is None else str(include), include_defaults=own)
        unknown = [name for name in names if not manager.match_tasks([name])]
        if not unknown:
            return manager
    raise UserError(f"the harness knows no task {unknown[0]!r}", hint="give a folder of tasks: --include DIR")


def drawn_from(names: Sequence[str], manager: Any, limit: int | None) -> dict[str, list[int]] | None:
    """The places of the documents that are asked, from all over each task (`spread`): a task's first ones may all be
    about one thing. None: all of them. Raises `UserError` if a task's data cannot be read, before any model is."""
    tasks = dict(task for name in names for task in _loaded(name, manager).items())
    if limit is None:
        return None
    return {name: spread(range(len(task.eval_docs)), limit) for name, task in tasks.items()}


def _loaded(name: str, manager: Any) -> Mapping[str, Any]:
    """A task, or those of a group, by name, each with its documents and what the first of them asks."""
    try:
        found: dict[str, Any] = manager.load([name])["tasks"]
        for task in found.values():
            task.doc_to_text(task.eval_docs[0])
    except Exception as error:  # whatever a task's YAML, its data or its code raises
        why = " ".join(str(error).split())[:300]
        hint = "see to its YAML and its data; without a network, data have to be files or fetched before"
        raise UserError(f"the harness cannot load {name}: {type(error).__name__}: {why}", hint=hint) from error
    return found


def _require_templates(models: Mapping[str, Path]) -> None:
    """Raises `UserError` if one of the models has no chat template."""
    for name, folder in models.items():
        if not load_tokenizer(folder).chat_template:
            raise UserError(f"{name} has no chat template", where=Where(folder), hint="leave out --chat")


def ask_harness(models: Mapping[str, Path], tasks: Sequence[str], manager: Any, way: Way) -> dict[str, Found]:
    """Has every model asked the same. `manager`: of `tasks_of`. Raises `UserError` if a task cannot be read, or a model
    cannot be asked so, before any model is loaded."""
    if way.chat:
        _require_templates(models)
    places = drawn_from(tasks, manager, way.limit)
    return {name: _ask(folder, tasks, manager, places, way) for name, folder in models.items()}


def _ask(model: Path, tasks: Sequence[str], manager: Any, places: dict[str, list[int]] | None, way: Way) -> Found:
    from lm_eval import simple_evaluate

    found = simple_evaluate(
        model="hf",
        model_args={"pretrained": str(model), "dtype": way.dtype, "device": way.device, "trust_remote_code": False},
        tasks=list(tasks),
        task_manager=manager,
        samples=places,
        num_fewshot=way.shots,
        apply_chat_template=way.chat,
        log_samples=True,
        bootstrap_iters=0,
        random_seed=way.seed,
        numpy_random_seed=way.seed,
        torch_random_seed=way.seed,
        fewshot_random_seed=way.seed,
    )
    assert found is not None
    return dict(found)


def overlaps(run: Path, found: Found) -> list[str]:
    """What is to be said of samples that say what the run trains on. They are counted: figures are the harness's."""
    samples = [
        _Sample(task=f"harness-{task}", item=str(sample["doc_id"]), says=str(sample["arguments"][0][0]))
        for task, own in found["samples"].items()
        for sample in {one["doc_id"]: one for one in own}.values()
    ]
    split = held_apart(samples, taught(run))[1]
    words = [
        f"{task}: training has the words of {one.left_out} of {one.items} items, and the harness counts them"
        for task, one in split.items()
        if one.left_out
    ]
    return words + warnings({task: one.model_copy(update={"left_out": 0}) for task, one in split.items()})


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """What the harness has put before a model, as an `Item`."""

    task: str
    item: str
    says: str

    def unasked(self, why: str) -> tuple[Outcome, ...]:
        return (outcome(self.task, self.item, None, unscored=why),)

    async def ask(self, by: object) -> tuple[Outcome, ...]:
        return self.unasked("the harness has asked it")


def no_numbers(found: Mapping[str, Found]) -> list[str]:
    """Figures that are NaN or infinite, and so no results. Example: `t, of base, rl: acc, f1: nan`."""
    models: dict[tuple[str, str, str], list[str]] = {}
    for model, of in found.items():
        for task, figures in of["results"].items():
            for measure, value in figures.items():
                if isinstance(value, float) and not isfinite(value) and "_stderr" not in measure:
                    name = _named(*measure.split(",", 1)) if "," in measure else measure
                    models.setdefault((task, name, str(value)), []).append(model)
    alike = grouped(models, lambda key: (key[0], ", ".join(models[key]), key[2]))
    return [
        f"{task}, of {whose}: {', '.join(name for _, name, _ in keys)}: {value}"
        for (task, whose, value), keys in alike.items()
    ]


def harness_evaluations(found: Mapping[str, Found], *, seed: int) -> list[Evaluation]:
    """Of every task, by model in their order."""
    first = next(iter(found.values()))
    made_by = f"lm-evaluation-harness {first.get('lm_eval_version', '')}".strip()
    results = (one for task in first["results"] for one in _of_task(task, found, seed))
    return [one.model_copy(update={"made_by": made_by}) for one in results]


def _of_task(task: str, found: Mapping[str, Found], seed: int) -> Iterator[Evaluation]:
    name = f"harness-{task}"
    values = {model: _values(of["samples"].get(task, ())) for model, of in found.items()}
    names = dict.fromkeys(measure for of in values.values() for measure in of)
    measures = {
        name: _statistic(name, [one for of in values.values() for one in of.get(name, {}).values()]) for name in names
    }
    outcomes = {model: list(_outcomes(name, of)) for model, of in values.items()}
    own = {one.model: one for one in evaluations(outcomes, measures, seed=seed)} if measures else {}
    for model, of in found.items():
        documents = {sample["doc_id"] for sample in of["samples"].get(task, ())}
        told = dict(_told(of["results"][task], len(documents)))
        kept = {it.name: it for it in own[model].metrics if _same(it, told)} if model in own else {}
        if metrics := tuple(kept.get(measure, metric) for measure, metric in told.items()):
            paired = tuple(it for it in own[model].paired if it.name in kept) if model in own else ()
            yield Evaluation(name=name, model=model, metrics=metrics, paired=paired)


def _values(samples: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, tuple[float, float | None]]]:
    """By measure and document: a value, and what it is divided by where the harness gives log-likelihoods."""
    found: dict[str, dict[str, tuple[float, float | None]]] = {}
    for sample in samples:
        for measure in sample["metrics"]:
            value, name = sample[measure], _named(measure, sample["filter"])
            if isinstance(value, tuple | list) and measure.endswith(_OF_LIKELIHOOD) and len(value) == 2:
                nats = -float(value[0]) / (log(2) if measure.startswith("bits") else 1.0)
                found.setdefault(name, {})[str(sample["doc_id"])] = (nats, float(value[1]))
            elif isinstance(value, bool | int | float) and isfinite(value):
                found.setdefault(name, {})[str(sample["doc_id"])] = (float(value), None)
    return found


def _statistic(measure: str, values: Sequence[tuple[float, float | None]]) -> Statistic:
    if any(weight is not None for _, weight in values):
        return "ratio" if measure.startswith("bits") else "perplexity"
    return "rate" if {value for value, _ in values} <= {0.0, 1.0} else "mean"


def _outcomes(name: str, values: Mapping[str, Mapping[str, tuple[float, float | None]]]) -> Iterator[Outcome]:
    items = dict.fromkeys(item for of in values.values() for item in of)
    for item in items:
        known = {measure: of[item] for measure, of in values.items() if item in of}
        weights = {measure: weight for measure, (_, weight) in known.items() if weight is not None}
        yield outcome(name, item, None, values={it: value for it, (value, _) in known.items()}, weights=weights)


def _told(result: Mapping[str, Any], count: int) -> Iterator[tuple[str, Metric]]:
    """What the harness says itself."""
    for key, value in result.items():
        measure, comma, filtered = key.partition(",")
        if comma and not measure.endswith("_stderr") and isinstance(value, int | float) and isfinite(value):
            error, name = result.get(f"{measure}_stderr,{filtered}"), _named(measure, filtered)
            half = Z95 * error if isinstance(error, int | float) and isfinite(error) else None
            low, high = (None, None) if half is None else (float(value) - half, float(value) + half)
            yield name, Metric(name=name, value=float(value), low=low, high=high, n=count)


def _same(metric: Metric, told: Mapping[str, Metric]) -> bool:
    """Whether it is what the harness says, up to rounding."""
    return metric.name in told and isclose(metric.value, told[metric.name].value, rel_tol=1e-6, abs_tol=1e-9)


def _named(measure: str, filtered: str) -> str:
    return measure if filtered == "none" else f"{measure}, {filtered}"
