"""Run folders: what a run keeps on disk, so that a killed run continues and ends with the same bytes.

    with RunFolder.create("runs/demo", config) as run:
        if FinishedStage.of(run.path, header) is None:
            stage = StageFolder(run.path, header)
            stage.rows(items, shard_rows=128, work=revise, record=Revision)
            stage.finish()

The layout on disk is described in docs/formats/run-folder.md. Nothing here imports torch before a checkpoint is saved.
"""

from typing import TYPE_CHECKING

from solon.artifacts.atomic import canonical_json, keeping, sha256_bytes, sha256_file, write_atomic

if TYPE_CHECKING:  # a page of a conversation writes files alone, and all of this takes as long to import as NumPy
    from solon.artifacts.checkpoint import Checkpoint, Checkpoints
    from solon.artifacts.manifest import Counts, Manifest, OutputFile, Timing
    from solon.artifacts.run_folder import RunFolder
    from solon.artifacts.stage import StageFolder

__all__ = [
    "Checkpoint",
    "Checkpoints",
    "Counts",
    "Manifest",
    "OutputFile",
    "RunFolder",
    "StageFolder",
    "Timing",
    "canonical_json",
    "keeping",
    "sha256_bytes",
    "sha256_file",
    "write_atomic",
]


def __getattr__(name: str) -> object:
    """What is above for type checkers alone, when it is first asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from solon.artifacts import checkpoint, manifest, run_folder, stage

    return next(vars(part)[name] for part in (checkpoint, manifest, run_folder, stage) if name in vars(part))
