"""Finished stages, read without the run's lock: what is sealed no longer changes, whoever works on the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from solon.artifacts.manifest import Manifest, problem
from solon.artifacts.run_folder import RUN
from solon.artifacts.shards import decode_rows
from solon.artifacts.stage import MANIFEST
from solon.errors import RunError, Where
from solon.records import Record

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, kw_only=True)
class FinishedStage:
    """A stage and its manifest."""

    run: Path
    manifest: Manifest

    @classmethod
    def open(cls, run: Path, name: str) -> FinishedStage:
        """The stage in the folder `name` below the run's.

        Raises:
            RunError: if `run` holds no run, or the run has not finished this stage.
        """
        if not (run / RUN).is_file():
            raise RunError(f"{run} holds no run", hint=f"begin one with `solon run -o {run}`")
        path = run / name / MANIFEST
        if not path.is_file():
            hint = f"go on with `solon resume {run}`, or only so far with `solon stage {Path(name).name} {run}`"
            raise RunError(f"the run has not finished stage {name}", where=Where(run), hint=hint)
        try:
            return cls(run=run, manifest=Manifest.model_validate_json(path.read_bytes()))
        except ValidationError as error:
            raise RunError("not a manifest that this version can read", where=Where(path)) from error

    def rows(self, file: str, record: type[R]) -> Iterator[R]:
        """The rows of `file.jsonl`, or of the shards `file-00000.jsonl`, ..., one file at a time; none without a file.

        Raises:
            RunError: if a file is not what the stage made, or a row is not a `record`.
        """
        pattern = re.compile(rf"{re.escape(file)}(-\d{{5,}})?\.jsonl")
        names = filter(pattern.fullmatch, self.manifest.outputs)
        for name in sorted(names, key=lambda name: (len(name), name)):  # shard 100000 comes after 99999
            path = self.run / self.manifest.stage / name
            if wrong := problem(path, self.manifest.outputs[name]):
                what = f"{wrong}: not what stage {self.manifest.stage} made"
                raise RunError(what, where=Where(path), hint="put the file back, or make the run anew")
            yield from decode_rows(path.read_bytes(), record, path)
