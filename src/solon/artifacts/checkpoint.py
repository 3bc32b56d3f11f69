"""Checkpoints of a training stage: tensors and plain state, there whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from solon.artifacts.atomic import canonical_json, folder_atomic, storage_errors, write_atomic
from solon.artifacts.manifest import Counts, Tally
from solon.errors import RunError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where training goes on."""

    step: int
    """Steps finished when it was saved."""
    tensors: dict[str, Tensor]
    state: dict[str, Any]


class Checkpoints:
    """The latest checkpoint of one stage in progress; gone when the stage is finished.

    The stage's counters are saved with it. `latest()` sets them back to what they were then, so call it after whatever
    is counted once, right before the loop.
    """

    def __init__(self, folder: Path, *, run: Path, tally: Tally, committed: Callable[[], None], writes: bool = True):
        """`writes`: false in the processes that train together with the one that does."""
        self._folder, self._run, self._tally, self._committed = folder, run, tally, committed
        self._writes = writes

    def save(self, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, JsonValue]) -> None:
        """Keep the state after `step` finished steps, then delete older checkpoints. Saving a step again does nothing.

        Tensors must not share memory (of tied weights, give one). If some are in shards, all processes must call this.
        Raises `RunError` if storage is full or forbidden; the checkpoint before is kept.
        """
        from solon.artifacts.tensors import write_tensors

        if not self._writes:
            write_tensors(tensors, None)
            return
        path = self._folder / f"step-{step:08d}"
        if path.exists():
            return
        with storage_errors(self._run):
            self._folder.mkdir(exist_ok=True)
            with folder_atomic(path) as new:
                write_tensors(tensors, new)
                saved = {"step": step, "state": dict(state), "counts": self._tally.counts()}
                (new / "state.json").write_bytes(canonical_json(saved))
            for old in list(self._folder.glob("step-*")):
                if old != path:
                    shutil.rmtree(old)
            self._committed()

    def keep(self, name: str, data: bytes) -> Path:
        """Writes a file beside the checkpoints, where it stays until the stage is finished. Raises as `save`."""
        if not self._writes:
            return self._folder / name
        with storage_errors(self._run):
            self._folder.mkdir(exist_ok=True)
            write_atomic(self._folder / name, data)
        return self._folder / name

    def latest(self, like: Mapping[str, Tensor] = MappingProxyType({})) -> Checkpoint | None:
        """The checkpoint to continue from, on the CPU, or None to begin at step 0.

        `like`: tensors in shards, whose shards alone are read of what `read_tensors` finds of them. It does not matter
        how many processes wrote the checkpoint. Raises `RunError` if it is damaged.
        """
        saved = sorted(self._folder.glob("step-*"))
        if not saved:
            return None
        from safetensors import SafetensorError

        from solon.artifacts.tensors import read_tensors

        path = saved[-1]
        try:
            kept = json.loads((path / "state.json").read_bytes())
            tensors = read_tensors(path, like)
        except (SafetensorError, ValueError, FileNotFoundError) as error:
            raise RunError(
                f"cannot read the checkpoint {path}: {error}",
                hint=f"delete that folder, then `solon resume {self._run}` begins the stage again",
            ) from error
        self._tally.reset(Tally.of(Counts.model_validate(kept["counts"])))
        return Checkpoint(step=kept["step"], tensors=tensors, state=kept["state"])
