"""Run folders: what a run keeps on disk, so that a killed run continues and ends with the same bytes.

    with RunFolder.create("runs/demo", config) as run:
        if FinishedStage.of(run.path, header) is None:
            stage = StageFolder(run.path, header)
            stage.rows(items, shard_rows=128, work=revise, record=Revision)
            stage.finish()

The layout on disk is described in docs/formats/run-folder.md. Nothing here imports torch before a checkpoint is saved.
"""
