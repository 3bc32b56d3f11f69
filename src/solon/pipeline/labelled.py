"""The labels of a finished run, with what is needed to say whether they are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from solon.artifacts.finished import FinishedStage, kept_record
from solon.artifacts.run_folder import run_config
from solon.constitution.principles import Constitution
from solon.errors import RunError, Where
from solon.evals.bias import Better
from solon.evals.labels import Labels, Scaling, Truth, label_quality
from solon.pipeline.grading import true_labels
from solon.pipeline.inputs import CONSTITUTION, RunInputs
from solon.pipeline.sources import RED_TEAM, PromptSets
from solon.pipeline.stage import stage_of
from solon.records import Comparison, Prompt


@dataclass(frozen=True, kw_only=True)
class RunLabels:
    """A run's comparisons."""

    run: Path
    given: RunInputs
    """With the constitution that the run was made with, whatever has become of its file."""

    @classmethod
    def of(cls, run: Path) -> RunLabels:
        """Raises `RunError` if there is no run, its comparisons are not finished, or its constitution is not there."""
        given = RunInputs(run_config(run))
        FinishedStage.open(run, "comparisons")
        kept = kept_record(run / CONSTITUTION, Constitution)
        if kept is None:
            raise RunError("the run's constitution is not there", where=Where(run / CONSTITUTION))
        given.constitution = kept
        return cls(run=run, given=given)

    @property
    def stage(self) -> FinishedStage:
        return FinishedStage.open(self.run, "comparisons")

    @cached_property
    def rows(self) -> Sequence[Comparison]:
        return self.stage.rows("rows", Comparison)

    @cached_property
    def prompts(self) -> Mapping[str, Prompt]:
        """By id."""
        return PromptSets.read({RED_TEAM: FinishedStage.open(self.run, stage_of(RED_TEAM))}).by_id()

    def better(self, labels: Sequence[Comparison]) -> dict[str, Better]:
        """Which answer is truly better by what each label is by; nothing where that is not known."""
        return true_labels(labels, self.prompts, self.given.constitution, self.given.truth)

    def quality(self, labels: Sequence[Comparison]) -> Labels:
        """How good they are."""
        known = self.better(labels)
        truth: Truth | None = (lambda row: known.get(row.id)) if known else None
        judge = self.given.config.judge
        return label_quality(labels, truth, Scaling(temperature=judge.temperature, clamp=judge.clamp))
