"""Does the stages of a run in order. A finished stage is only read, so running again goes on where the run stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from solon.artifacts import RunFolder, StageFolder, write_atomic
from solon.artifacts.atomic import canonical_json, sweep
from solon.artifacts.manifest import Manifest
from solon.artifacts.reuse import Others, take_over
from solon.config import ModelRole
from solon.pipeline.actors import Actors, FormatFacts
from solon.pipeline.given import CONSTITUTION, Given
from solon.pipeline.stage import Stage
from solon.pipeline.stages import STAGES
from solon.pipeline.summary import write_summary
from solon.pipeline.work import Work
from solon.progress import Reporter

_TEXTS = {Given.critique_texts, Given.comparison_texts}


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
        pipeline.keep_constitution()
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

    def do(self, stage: Stage) -> None:
        """Does what is left to do of a stage, unless another run has done it."""
        config = stage.config(self.actors.settled)
        header = self.run.header(stage.folder, config=config, inputs=self._inputs(stage))
        found = None
        if not (self.run.path / stage.folder).exists():
            found = take_over(self.run.path, header, self.others)
        folder = StageFolder(self.run.path, header)
        if found or not folder.done:
            self.worked = True
            if _TEXTS & set(stage.hashes):
                self.keep_constitution()
        if found:
            self._tell_reused(folder.finished, found)
        elif not folder.done:
            self._make(stage, folder)
        self.done[stage.name] = folder

    def keep_constitution(self) -> None:
        """Writes it into the run's folder. Texts that no stage was made from yet may have changed since the last."""
        path, text = self.run.path / CONSTITUTION, canonical_json(self.given.constitution, indent=2)
        if not path.exists() or path.read_bytes() != text:
            write_atomic(path, text)

    def _make(self, stage: Stage, folder: StageFolder) -> None:
        formats = self._formats(stage)
        notes = list(dict.fromkeys(note for format in formats.values() for note in format.notes))
        for note in self._new(notes):
            self.reporter.note(note)
        work = self.work(self._read(stage), folder)
        facts = dict(stage.body(work) or {})
        if formats:
            facts["formats"] = {role: format.model_dump(mode="json") for role, format in formats.items()}
        folder.finish(deviations=(), notes=(*notes, *work.notes), **facts)

    def _tell_reused(self, made: Manifest, run: Path) -> None:
        """And what was told when it was made, in a line."""
        self.reporter.reused(made.stage, str(run))
        if notes := self._new((*made.notes, *made.deviations)):
            self.reporter.note(f"{made.stage}: {'; '.join(notes)}")

    def _new(self, notes: Sequence[str]) -> list[str]:
        """Those that were not told yet."""
        new = [note for note in notes if note not in self._noted]
        self._noted.update(new)
        return new

    def _inputs(self, stage: Stage) -> dict[str, StageFolder | str]:
        models = {name: sha256 for role in stage.weights for name, sha256 in self.actors.fingerprints(role).items()}
        return {**self._read(stage), **models, **stage.inputs_given(self.given)}

    def _read(self, stage: Stage) -> dict[str, StageFolder]:
        """The stages that it reads, by name."""
        return {name: self.done[name] for name in stage.reads}

    def work(self, inputs: Mapping[str, StageFolder], folder: StageFolder) -> Work:
        """What a body is handed: the stages that it reads, by name, and the folder that it fills."""
        return Work(given=self.given, actors=self.actors, inputs=inputs, folder=folder, reporter=self.reporter)

    def _formats(self, stage: Stage) -> dict[ModelRole, FormatFacts]:
        """How the stage's models are written to."""
        if not stage.roles:
            return {}
        system = bool(self.done["prompts"].finished.facts["system_turns"])
        return self.actors.formats(stage.roles, system=system)
