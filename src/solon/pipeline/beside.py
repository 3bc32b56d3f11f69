"""What a command has a run's judge say beside the run's stages, so that a command that was stopped goes on.

It is a stage in a folder of its own, below `evaluations`, by what it depends on: other settings give another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from solon.artifacts.atomic import canonical_json, sha256_bytes
from solon.artifacts.finished import FinishedStage
from solon.artifacts.lock import FolderLock
from solon.artifacts.manifest import Header
from solon.artifacts.stage import StageFolder
from solon.evals.kept import FOLDER
from solon.feedback.rows import Rows
from solon.pipeline.actors import Actors
from solon.pipeline.inputs import Hashes, RunInputs
from solon.pipeline.stage import Stage
from solon.pipeline.work import Work
from solon.progress import Reporter
from solon.records import Record

T = TypeVar("T")
R = TypeVar("R", bound=Record)


def header_of(name: str, stage: Stage, given: RunInputs, actors: Actors, inputs: Hashes) -> Header:
    """All that a stage of the run depends on, but for what it reads: `inputs` stand in its place. The hash of all is in
    the folder's name."""
    models = {key: own for role in stage.weighed(given.config) for key, own in actors.fingerprints(role).items()}
    header = Header(
        stage=name,
        seed=given.config.seed,
        config=stage.config(actors.settled),
        inputs={**models, **stage.inputs_given(given), **inputs},
    )
    return header.model_copy(update={"stage": f"{FOLDER}/{name}-{sha256_bytes(canonical_json(header))[:12]}"})


def kept(
    run: Path,
    header: Header,
    items: Sequence[T],
    make: Callable[[Work], Callable[[Sequence[T]], Rows[R]]],
    record: type[R],
    *,
    given: RunInputs,
    actors: Actors,
    reporter: Reporter,
    check: Callable[[Sequence[R]], None] = lambda rows: None,
) -> FinishedStage:
    """The rows that are made of the items, or were made of them before. What `check` raises leaves them as they are, so
    that another call reads what there is."""
    (run / FOLDER).mkdir(exist_ok=True)
    lock = FolderLock(run / FOLDER)
    try:
        if found := FinishedStage.of(run, header):
            return found
        work = Work(
            given=given,
            actors=actors,
            inputs={},
            folder=StageFolder(run, header),
            reporter=reporter,
            tell=reporter.note,
            again="give the same command again",
        )
        rows = work.rows(items, make(work), record, may_be_empty=True)
        reporter.end_stage()
        check(rows)
        work.folder.finish(notes=work.notes)
        return FinishedStage.open(run, header.stage)
    finally:
        lock.release()
