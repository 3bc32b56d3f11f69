"""Does the stages of a run in order. A finished stage is only read, so running again goes on where the run stopped."""

from __future__ import annotations

from collections.abc import Mapping

from solon.artifacts import RunFolder, StageFolder, write_atomic
from solon.artifacts.atomic import canonical_json, sweep
from solon.artifacts.manifest import Header
from solon.artifacts.reuse import Others, take_over
from solon.pipeline.actors import Actors
from solon.pipeline.given import CONSTITUTION, Given
from solon.pipeline.stage import Facts, Stage
from solon.pipeline.stages import STAGES, revisions
from solon.pipeline.summary import write_summary
from solon.pipeline.work import Work
from solon.progress import Reporter


def run_pipeline(run: RunFolder, reporter: Reporter, *, until: str | None = None, others: Others | None = None) -> bool:
    """Does every stage, or those up to one of them; a whole run ends with its summary.

    Returns:
        Whether anything was left to do.
    """
    pipeline = Pipeline(run, reporter, others or Others())
    for stage in STAGES:
        pipeline.do(stage)
        if stage.name == until:
            break
    else:
        write_summary(run.path, pipeline.given, pipeline.done)
    return pipeline.worked


class Pipeline:
    """A run in its folder, and how far it has come."""

    def __init__(self, run: RunFolder, reporter: Reporter, others: Others) -> None:
        self.run, self.reporter, self.others = run, reporter, others
        self.given, self.actors = Given(run.config), Actors(config=run.config)
        self.done: dict[str, StageFolder] = {}
        """By name."""
        self.worked = False
        self._noted: set[str] = set()
        sweep(run.path)
        if not (run.path / revisions.folder).exists():  # the first stage that it shapes
            write_atomic(run.path / CONSTITUTION, canonical_json(self.given.constitution, indent=2))

    def do(self, stage: Stage) -> None:
        """Does what is left to do of a stage, unless another run has done it."""
        header = self.run.header(stage.folder, config=stage.config(self.run.config), inputs=self._inputs(stage))
        if not (self.run.path / stage.folder).exists():
            self._reuse(header)
        folder = StageFolder(self.run.path, header)
        if not folder.done:
            self.worked = True
            formats = self._formats(stage)
            facts = stage.body(self.work(self._read(stage), folder)) or {}
            folder.finish(**formats, **facts)
        self.done[stage.name] = folder

    def _reuse(self, header: Header) -> None:
        found = take_over(self.run.path, header, self.others)
        if found is not None:
            self.worked = True
            self.reporter.reused(header.stage, str(found))

    def _inputs(self, stage: Stage) -> dict[str, StageFolder | str]:
        models = {name: sha256 for role in stage.weights for name, sha256 in self.actors.fingerprints(role).items()}
        return {**self._read(stage), **models, **stage.inputs_given(self.given)}

    def _read(self, stage: Stage) -> dict[str, StageFolder]:
        """The stages that it reads, by name."""
        return {name: self.done[name] for name in stage.reads}

    def work(self, inputs: Mapping[str, StageFolder], folder: StageFolder) -> Work:
        """What a body is handed: the stages that it reads, by name, and the folder that it fills."""
        return Work(given=self.given, actors=self.actors, inputs=inputs, folder=folder, reporter=self.reporter)

    def _formats(self, stage: Stage) -> Facts:
        """How the stage's models are written to; departures from a tokenizer's own template are told once."""
        if not stage.roles:
            return {}
        system = bool(self.done["prompts"].finished.facts["system_turns"])
        formats = self.actors.formats(stage.roles, system=system)
        for note in dict.fromkeys(note for format in formats.values() for note in format.notes):
            if note not in self._noted:
                self._noted.add(note)
                self.reporter.note(note)
        return {"formats": {role: format.model_dump(mode="json") for role, format in formats.items()}}
