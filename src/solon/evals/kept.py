"""`evaluations/NAME.json` of a run's folder: what an evaluation found of one of the run's models, whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from pydantic import Field

from solon.artifacts.atomic import canonical_json, sha256_bytes, storage_errors, write_atomic
from solon.artifacts.finished import FinishedStage
from solon.config.evaluations import EVALUATED
from solon.errors import UserError
from solon.records import Record

FOLDER: Final = "evaluations"
BASE: Final = "base"
"""In the place of a stage, for the files of the model that no stage makes."""
_READ_BASE: Final = ("models/sl", "answers-base", "evaluated-base")
"""Stages whose manifests have the hashes of its files."""
OWN: Final = (*(f"evaluated-{model}" for model in EVALUATED), "games", "harmfulness")
"""Stages whose results a run writes itself."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")


class Metric(Record):
    """One figure of a model, with its 95% interval."""

    name: str
    value: float = Field(allow_inf_nan=False)
    low: float | None = Field(allow_inf_nan=False)
    """null, as `high`: no end on this side, or none that is known."""
    high: float | None = Field(allow_inf_nan=False)
    n: int
    """Items that it is of; 0 where that is not told."""


class PairedMetric(Metric):
    """The model's figure minus another model's, over the items that both have."""

    against: str


class Evaluation(Record):
    """One evaluation of one model at one temperature."""

    name: str
    """E.g. `hhh`."""
    model: str
    """`base`, `sl`, `rl`, `dpo` or `pm` of the run, or another's name; empty where only answers are known."""
    temperature: float | None = None
    """null: nothing is drawn, or it is not known."""
    metrics: tuple[Metric, ...] = Field(min_length=1)
    paired: tuple[PairedMetric, ...] = ()
    """Against models before it."""
    unscored: dict[str, int] = Field(default_factory=dict)
    """Items that no figure counts, by reason."""
    made_by: str = "solon"
    """And the version, if it is another's."""
    stages: dict[str, str] = Field(default_factory=dict)
    """Fingerprints of the run's stages that it is of, by their folders, and of `base`: of other ones it is stale."""
    data: str | None = None
    """sha256 of the file with the items."""
    settings: tuple[str, ...] = ()
    """Keys that were not as in the run file, as they were given."""

    def of(self, stages: Mapping[str, Mapping[str, str]], **more: object) -> Evaluation:
        """With the stages of its model, and of those that it is compared with. stages: by model."""
        models = dict.fromkeys((self.model, *(one.against for one in self.paired)))
        own = {name: one for model in models for name, one in stages.get(model, {}).items()}
        return self.model_copy(update={"stages": own, **more})

    @property
    def by_run(self) -> bool:
        """Whether a run found it by its own stages, and no command that was given beside it."""
        return not self.stages.keys().isdisjoint(OWN)


def fingerprints(run: Path, *stages: str) -> dict[str, str]:
    """Of those of these stages that a run has finished; of `base`, if a finished stage began from it."""
    found = {name: FinishedStage.find(run, name) for name in (*stages, *(_READ_BASE if BASE in stages else ()))}
    files = next((of_base(one.manifest.inputs) for name, one in found.items() if one and name in _READ_BASE), None)
    own = {name: one.manifest.fingerprint for name, one in found.items() if one and name in stages}
    return own | ({BASE: files} if files and BASE in stages else {})


def of_base(files: Mapping[str, str]) -> str:
    """One hash of the files of base. files: hashes by name, among others `base/config.json`."""
    own = {name: sha256 for name, sha256 in files.items() if name.split("/")[0] == BASE}
    return sha256_bytes(canonical_json(own))


def check_name(name: str) -> None:
    """Raises `UserError` if no result can be called so."""
    if not NAME.fullmatch(name):
        raise UserError(f"no result can be called {name!r}", hint="letters, digits, dots and dashes: --name hhh-rl")


def name_of(one: Evaluation) -> str:
    """What its file is called."""
    at = "" if one.temperature is None else f"-t{one.temperature:g}"
    return re.sub(r"[^A-Za-z0-9._@-]", "_", f"{one.name}{at}-{one.model}")


def keep(run: Path, found: Mapping[str, Evaluation], *, replace: bool = False) -> list[Path]:
    """Writes results of commands into the folder of a run, by the names of their files.

    Raises `UserError`, and writes none, if a name is none, or stands for another result of what the run still has;
    not if it may `replace` that. One that the run found itself is never replaced: the run would write it again.
    """
    there = read_evaluations(run)[0]
    for name, one in found.items():
        check_name(name)
        if name not in there or there[name] == one:
            continue
        path = _path(run, name)
        if there[name].by_run:
            raise UserError(f"{path} holds the run's own result", hint="give this one a name of its own: --name")
        if not replace:
            hint = "replace it with --replace, or give this one a --name of its own"
            raise UserError(f"{path} holds another result", hint=hint)
    return _write(run, found)


def _write(run: Path, found: Mapping[str, Evaluation]) -> list[Path]:
    paths = [_path(run, name) for name in found]
    with storage_errors(run):
        (run / FOLDER).mkdir(exist_ok=True)
        for path, one in zip(paths, found.values(), strict=True):
            write_atomic(path, canonical_json(one, indent=2))
    return paths


def keep_own(run: Path, found: Sequence[Evaluation]) -> dict[str, str]:
    """Writes results of a run's own stages, and deletes what these left before and do not find any more. A command's
    result that has the name of one is kept under a name that is free: returned, by the old names."""
    named, moved = {name_of(one): one for one in found}, dict[str, str]()
    for name, one in _read(run)[0].items():
        if one.by_run and name not in named:
            _path(run, name).unlink()
    for name in [name for name, one in read_evaluations(run)[0].items() if name in named and not one.by_run]:
        moved[name] = next(new for n in count(1) if not _path(run, new := f"{name}.asked-{n}").exists())
        _path(run, name).rename(_path(run, moved[name]))
    if named:
        _write(run, named)
    return moved


def _path(run: Path, name: str) -> Path:
    return run / FOLDER / f"{name}.json"


def read_evaluations(run: Path) -> tuple[dict[str, Evaluation], dict[str, str]]:
    """Those that a run has, by the name of their file, and of each file that is none, or is stale, why."""
    found, faults = _read(run)
    for name, one in found.items():
        if why := stale(run, one.stages):
            faults[f"{name}.json"] = why
    return {name: one for name, one in found.items() if f"{name}.json" not in faults}, faults


def stale(run: Path, stages: Mapping[str, str]) -> str | None:
    """Why a result of these fingerprints is not of what the run has now; None if it is."""
    others = [stage for stage, made in stages.items() if _now(run, stage, made) != made]
    return f"it is of another {others[0]} than the run has now" if others else None


def _now(run: Path, stage: str, made: str) -> str | None:
    """The fingerprint of a stage; of a base that no stage began from yet, nothing else is known than was."""
    return fingerprints(run, stage).get(stage, made if stage == BASE else None)


def _read(run: Path) -> tuple[dict[str, Evaluation], dict[str, str]]:
    found, faults = {}, {}
    for path in sorted((run / FOLDER).glob("*.json")):
        try:
            found[path.stem] = Evaluation.model_validate_json(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            faults[path.name] = f"no result of an evaluation ({type(error).__name__})"
    return found, faults
