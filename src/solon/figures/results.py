"""What the runs of a set have made, as experiments read it: answers by seed and prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.artifacts.finished import FinishedStage
from solon.artifacts.run_folder import run_config
from solon.artifacts.stored import StoredRows
from solon.embedded.verdicts import WorldVerdict
from solon.evals.checks import Check
from solon.evals.seeds import Values
from solon.evals.stopping import Ending, ending_of
from solon.figures.measures import Measure
from solon.figures.tasks import FOLDERS, Arm, Place, asked_file
from solon.pipeline.grading import HeldOutMargin
from solon.pipeline.inputs import RunInputs
from solon.pipeline.labelled import RunLabels
from solon.pipeline.monitoring import LIKELIEST
from solon.pipeline.sources import EVALUATION, HELPFUL, RED_TEAM, PromptSets
from solon.records import Answer, MonitorAnswer, Prompt, Revision

Texts = Mapping[str, str]
"""Answers by the id of their prompt."""
Kinds = Sequence[str]
"""Of prompts."""
HARMFUL: Kinds = ("harmful", "mixed")


@dataclass(frozen=True, kw_only=True)
class Results:
    """The runs of a set."""

    place: Place

    @property
    def seeds(self) -> tuple[int, ...]:
        return self.place.seeds

    def stage(self, arm: Arm, seed: int, name: str) -> FinishedStage:
        return FinishedStage.open(self.place.run(arm, seed), FOLDERS[name])

    def prompts(self, arm: Arm, seed: int) -> dict[str, Prompt]:
        """All prompts of a run, by id."""
        stage = self.stage(arm, seed, "prompts")
        return PromptSets.read(dict.fromkeys((RED_TEAM, HELPFUL, EVALUATION), stage)).by_id()

    def values(self, arm: Arm, texts: Mapping[int, Texts], measure: Measure, kinds: Kinds) -> Values:
        """A measure of each answer to prompts of these kinds."""
        found: dict[int, dict[str, float]] = {}
        for seed, own in texts.items():
            prompts = self.prompts(arm, seed)
            found[seed] = {
                name: measure(prompts[name], text) for name, text in own.items() if prompts[name].kind in kinds
            }
        return found

    def chains(self, arm: Arm) -> list[dict[int, Texts]]:
        """The assistant's answers after 0, 1, ... revisions."""
        rows = {seed: list(self.stage(arm, seed, "revisions").rows("rows", Revision)) for seed in self.seeds}
        asked = 1 + run_config(self.place.run(arm, self.seeds[0])).supervised.rounds
        rounds = min((len(row.texts) for own in rows.values() for row in own), default=asked)
        return [
            {seed: {row.prompt_id: row.texts[number] for row in own} for seed, own in rows.items()}
            for number in range(rounds)
        ]

    def critique_principles(self, arm: Arm) -> int:
        """How many principles critiques are drawn from."""
        return len(RunInputs(run_config(self.place.run(arm, self.seeds[0]))).critique_principles)

    def answers(self, arm: Arm, model: str) -> dict[int, Texts]:
        """A model's answers to the held-out prompts."""
        return {
            seed: {row.prompt_id: row.text for row in self.stage(arm, seed, f"answers-{model}").rows("rows", Answer)}
            for seed in self.seeds
        }

    def looks(self, arm: Arm) -> dict[int, dict[int, Texts]]:
        """The policy's answers to the prompts of its monitor, by the steps of RL before them, and by seed."""
        found: dict[int, dict[int, dict[str, str]]] = {}
        for seed in self.seeds:
            for row in self.stage(arm, seed, "rl").rows("monitor", MonitorAnswer):
                found.setdefault(row.step, {}).setdefault(seed, {})[row.prompt_id] = row.text
        return {step: dict(own) for step, own in sorted(found.items())}

    def likeliest(self, arm: Arm) -> dict[int, dict[int, Texts]]:
        """The same at temperature 0, of arms that keep them."""
        found: dict[int, dict[int, Texts]] = {}
        for seed in self.seeds:
            stage = self.stage(arm, seed, "rl")
            for name in stage.manifest.files(LIKELIEST):
                file = name.removesuffix(".jsonl")
                rows = stage.rows(file, Answer)
                found.setdefault(int(file.rpartition("-")[2]), {})[seed] = {row.prompt_id: row.text for row in rows}
        return {step: found[step] for step in sorted(found)}

    def checks(self, arm: Arm) -> dict[int, list[Check]]:
        """What the monitor saw, by seed."""
        return {seed: list(self.stage(arm, seed, "rl").rows("checks", Check)) for seed in self.seeds}

    def endings(self, arm: Arm, checks: Mapping[int, Sequence[Check]]) -> dict[int, Ending]:
        """How the monitor ended RL, or would have, by what it saw; without a seed of which it saw nothing."""
        found = {seed: ending_of(own, run_config(self.place.run(arm, seed)).rl) for seed, own in checks.items()}
        return {seed: ending for seed, ending in found.items() if ending is not None}

    def labels(self, arm: Arm, seed: int) -> RunLabels:
        return RunLabels.of(self.place.run(arm, seed))

    def margins(self, arm: Arm, seed: int) -> dict[str, float]:
        """The preference model's score of `a` less that of `b`, by the id of each comparison that it did not learn."""
        return {row.id: row.margin for row in self.stage(arm, seed, "pm").rows("held-out", HeldOutMargin)}

    def verdicts(self, model: str) -> dict[int, list[WorldVerdict]]:
        """What a model said of the questions that it was asked, by seed."""
        paths = {seed: asked_file(self.place, model, seed) for seed in self.seeds}
        return {seed: list(StoredRows([path], WorldVerdict)) for seed, path in paths.items()}
