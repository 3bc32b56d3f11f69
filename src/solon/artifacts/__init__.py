"""Run folders: what a run keeps on disk, so that a killed run continues and ends with the same bytes.

    with RunFolder.create("runs/demo", config) as run:
        if FinishedStage.of(run.path, header) is None:
            stage = StageFolder(run.path, header)
            stage.rows(items, shard_rows=128, work=revise, record=Revision)
            stage.finish()

The layout on disk is described in docs/formats/run-folder.md. Nothing here imports torch before a checkpoint is saved.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from solon.artifacts.atomic import canonical_json as canonical_json
from solon.artifacts.atomic import sha256_bytes as sha256_bytes
from solon.artifacts.atomic import sha256_file as sha256_file
from solon.artifacts.atomic import write_atomic as write_atomic

if TYPE_CHECKING:
    from solon.artifacts.checkpoint import Checkpoints as Checkpoints
    from solon.artifacts.manifest import Counts as Counts
    from solon.artifacts.manifest import Manifest as Manifest
    from solon.artifacts.manifest import Timing as Timing
    from solon.artifacts.run_folder import RunFolder as RunFolder
    from solon.artifacts.stage import StageFolder as StageFolder

_LATER = {"Checkpoints": "checkpoint", "RunFolder": "run_folder", "StageFolder": "stage"} | dict.fromkeys(
    ("Counts", "Manifest", "Timing"), "manifest"
)
"""Imported when first asked for: together they take as long as NumPy, and some pages need nothing but `atomic`."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
