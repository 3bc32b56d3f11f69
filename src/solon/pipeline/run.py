"""Does the stages of a run in order. A finished stage is only read, so running again goes on where the run stopped."""

from __future__ import annotations

from solon.artifacts.atomic import canonical_json, sweep, write_atomic
from solon.artifacts.finished import FinishedStage
from solon.artifacts.manifest import Header
from solon.artifacts.reuse import OtherRuns
from solon.artifacts.run_folder import RunFolder
from solon.artifacts.stage import StageFolder
from solon.lm.engines import takes_process
from solon.models.allocator import give_memory_back
from solon.pipeline.actors import Actors
from solon.pipeline.cluster import workers_at
from solon.pipeline.evaluating import write_results
from solon.pipeline.inputs import CONSTITUTION, RunInputs
from solon.pipeline.members import run_in_members
from solon.pipeline.memory import with_budgets
from solon.pipeline.stage import Stage, stage_of
from solon.pipeline.stages import stages_of
from solon.pipeline.summary import write_summary
from solon.pipeline.torchrun import do_together, release
from solon.pipeline.work import Work, run_stage
from solon.pipeline.worker import run_in_child
from solon.progress import Reporter
from solon.train.parallel import launched

LARGE_BYTES = 1 << 30
"""A stage with a model of so many bytes or more has a process of its own, unless the user says otherwise. Starting one
takes five seconds, mostly to import torch (measured): a smaller model's memory is not worth that."""
_TEXTS = {RunInputs.critique_texts, RunInputs.comparison_texts}


def run_pipeline(
    run: RunFolder,
    reporter: Reporter,
    *,
    until: str | None = None,
    others: OtherRuns | None = None,
    isolate: bool | None = None,
    cluster: str | None = None,
    processes: int = 1,
) -> bool:
    """Does every stage, or those up to one of them; a whole run ends with its summary.

    Args:
        until: name of the last stage, one of the run's.
        others: runs whose finished stages may be taken over.
        isolate: whether each stage that uses a model has a process of its own. None: those with a large model, or an
            engine that wants one.
        cluster: the address of the Ray cluster whose workers make the rows that ask a model. None: this process does.
        processes: of this machine that train together. 1: this one does, with all that torchrun started beside it.

    Returns whether anything was left to do.
    """
    pipeline = Pipeline(run, reporter, others or OtherRuns(), isolate=isolate, cluster=cluster, processes=processes)
    try:
        for stage in stages_of(run.config):
            pipeline.do(stage)
            if stage.name == until:
                break
        else:
            pipeline.keep_constitution()
            for told in write_results(run.path, pipeline.done, run.config):
                pipeline.note(told)
            write_summary(run.path, pipeline.given, pipeline.done)
    finally:
        release()
    run.keep()
    return pipeline.worked


class Pipeline:
    """A run in its folder, and how far it has come."""

    def __init__(
        self,
        run: RunFolder,
        reporter: Reporter,
        others: OtherRuns,
        *,
        isolate: bool | None = False,
        cluster: str | None = None,
        processes: int = 1,
    ) -> None:
        self.run, self.reporter, self.others, self.isolate, self.cluster = run, reporter, others, isolate, cluster
        self.processes = processes
        self.actors = Actors(config=run.config, run=run.path)
        settled, chosen = with_budgets(self.actors.settled, processes=max(processes, launched()[1]))
        self.given = RunInputs(settled)
        self.done: dict[str, FinishedStage] = {}
        """By name."""
        self.worked = False
        self._noted: set[str] = set()
        for text in chosen:
            self.note(text)
        sweep(run.path)

    def do(self, stage: Stage) -> None:
        """Does what is left to do of a stage, unless another run has done it."""
        header = self._header(stage)
        finished, other = FinishedStage.of(self.run.path, header), None
        if finished is None:
            self.worked = True
            if not (self.run.path / stage.folder).exists():
                other = self.others.take_over(self.run.path, header)
            folder = None if other else StageFolder(self.run.path, header)
            self.run.keep()  # nothing that is there refused its keys
            if _TEXTS & set(stage.hashes):
                self.keep_constitution()
            if folder:
                self._work(stage, folder)
                self.reporter.end_stage()
            finished = FinishedStage.open(self.run.path, stage.folder)
        if other is not None:
            self.reporter.reused(stage.folder, str(other))
            texts = [*finished.manifest.notes, *finished.manifest.deviations]
            if new := [text for text in texts if text not in self._noted]:
                self.reporter.note(f"{stage.folder}: {'; '.join(new)}")
            self._noted.update(texts)
        self.done[stage.name] = finished

    def keep_constitution(self) -> None:
        """Writes it into the run's folder. Texts that no stage was made from yet may have changed since the last."""
        path, text = self.run.path / CONSTITUTION, canonical_json(self.given.constitution, indent=2)
        if not path.exists() or path.read_bytes() != text:
            write_atomic(path, text)

    def _work(self, stage: Stage, folder: StageFolder) -> None:
        large = any(self.actors.weight_bytes(role) >= LARGE_BYTES for role in stage.played(self.run.config))
        taken = any(map(takes_process, stage.driven(self.run.config)))
        if stage.trains and self.processes > 1:
            run_in_members(stage, self.run, self.reporter, self.note, self.processes)
        elif stage.trains and launched()[1] > 1:
            do_together(stage, self.work(stage, folder))
        elif stage.roles and (large or taken if self.isolate is None else self.isolate):
            run_in_child(stage, self.run, self.reporter, self.note, self.cluster)
        else:
            run_stage(stage, self.work(stage, folder))
        give_memory_back()

    def work(self, stage: Stage, folder: StageFolder) -> Work:
        return Work(
            given=self.given,
            actors=self.actors,
            inputs={name: self.done[stage_of(name)] for name in stage.reads},
            folder=folder,
            reporter=self.reporter,
            tell=self.note,
            workers=workers_at(self.cluster, self.run.config.cluster, self.reporter.advance),
        )

    def note(self, text: str) -> None:
        """Tells the user, once in a run."""
        if text not in self._noted:
            self._noted.add(text)
            self.reporter.note(text)

    def _header(self, stage: Stage) -> Header:
        roles = stage.weighed(self.run.config)
        models = {name: sha256 for role in roles for name, sha256 in self.actors.fingerprints(role).items()}
        return Header(
            stage=stage.folder,
            seed=self.run.config.seed,
            config=stage.config(self.actors.settled),
            inputs={**stage.fingerprints(self.done), **models, **stage.inputs_given(self.given)},
        )
