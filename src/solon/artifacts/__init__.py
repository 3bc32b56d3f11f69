"""Run folders: what a run keeps on disk, so that a killed run continues and ends with the same bytes.

    with RunFolder.create("runs/demo", config) as run:
        stage = run.stage("revisions", config=config.supervised, inputs={"prompts": prompts})
        if not stage.done:
            stage.rows(items, shard_rows=128, work=revise, record=Revision)
            stage.finish()

The layout on disk is described in docs/formats/run-folder.md. Nothing here imports torch before a checkpoint is saved.
"""

from solon.artifacts.atomic import canonical_json, keeping, sha256_bytes, sha256_file, write_atomic
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
