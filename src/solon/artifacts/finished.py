"""Finished stages. What is sealed no longer changes, so it is read without the run's lock."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from solon.artifacts.manifest import MANIFEST, PARTIAL, Header, Manifest, differences, problem
from solon.artifacts.stored import StoredRows
from solon.errors import Fault, RunError, Where
from solon.records import Record, first_error

RUN = "run.json"

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class FinishedStage:
    """A stage and its manifest."""

    run: Path
    manifest: Manifest

    @staticmethod
    def exists(run: Path, name: str) -> bool:
        """Is the stage finished? Its manifest is not read."""
        return (run / name / MANIFEST).is_file()  # reading a pipe would wait for ever

    @classmethod
    def find(cls, run: Path, name: str) -> FinishedStage | None:
        """The stage in a folder of the run, or None if it is not finished.

        Raises `RunError` if its manifest cannot be read.
        """
        path = run / name / MANIFEST
        if not cls.exists(run, name):
            return None
        try:
            return cls(run=run, manifest=Manifest.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            what = "not a manifest that this version can read"
            raise RunError(what, where=Where(path), hint=redo_hint(run, name)) from error

    @classmethod
    def open(cls, run: Path, name: str) -> FinishedStage:
        """The stage in a folder of the run. Raises `RunError` if `run` holds no run, or has not finished this stage."""
        require_run(run)
        if (found := cls.find(run, name)) is None:
            hint = f"go on with `solon resume {run}`, or only so far with `solon stage {Path(name).name} {run}`"
            raise RunError(f"the run has not finished stage {name}", where=Where(run), hint=hint)
        return found

    @classmethod
    def of(cls, run: Path, header: Header) -> FinishedStage | None:
        """The stage that this header describes, or None if it is not finished.

        Raises `RunError` if it was finished from other settings or inputs, or a file is not what the manifest says.
        """
        if found := cls.find(run, header.stage):
            require_same(run, found.manifest, header, "finished")
            if faults := found.faults():
                raise RunError(faults)
            shutil.rmtree(found.path(PARTIAL), ignore_errors=True)
        return found

    def path(self, name: str) -> Path:
        return self.run / self.manifest.stage / name

    def faults(self, *names: str) -> list[Fault]:
        """One for every file (or those named) that is not what the stage made."""
        stage = self.manifest.stage
        return [
            Fault(f"{wrong}: not what stage {stage} made", Where(self.path(name)), redo_hint(self.run, stage))
            for name in names or self.manifest.outputs
            if (wrong := problem(self.path(name), self.manifest.outputs[name]))
        ]

    def rows(self, file: str, record: type[R]) -> Sequence[R]:
        """The rows of `file.jsonl`, or of the shards `file-00000.jsonl`, ..., read as they are asked for; none without
        a file.

        Raises `RunError` if a file is not what the stage made and, when it is read, if a row is not a `record`.
        """
        names = self.manifest.files(file)
        if faults := [fault for name in names for fault in self.faults(name)]:
            raise RunError(faults)
        return StoredRows(map(self.path, names), record)


def kept_record(path: Path, record: type[R]) -> R | None:
    """What a file of a run's folder holds; None if it is not there. Raises `RunError` if it holds something else."""
    if not path.is_file():
        return None
    try:
        return record.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise RunError(f"not a {record.__name__}: {first_error(error)}", where=Where(path)) from None


def require_run(folder: Path, hint: str = "") -> None:
    """Raises `RunError` unless a folder holds a run."""
    if not (folder / RUN).is_file():
        raise RunError(f"{folder} holds no run", hint=hint or f"begin one with `solon run -o {folder}`")


def require_same(run: Path, then: Header, now: Header, did: str) -> None:
    """Raises `RunError` unless a stage that `did`, e.g. "finished", from one header may go on under the other."""
    if before_and_now := differences(then.header(), now.header()):
        what = f"stage {now.stage} was {did} from other settings or inputs: {before_and_now}"
        hint = f"put back what was there before, or {redo_hint(run, now.stage)}"
        raise RunError(what, where=Where(run / now.stage), hint=hint)


def redo_hint(run: Path, stage: str) -> str:
    """How the user has a stage done again, as a hint."""
    return f"delete {run / stage} and run `solon resume {run}` to do the stage again"
