"""Where a run's prompts come from, with ground truth about answers if there is any: the synthetic world, or files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar, get_args

from solon.artifacts.finished import FinishedStage
from solon.config import WORLD, PromptsSection
from solon.evals.grader import Grader
from solon.evals.graders.oracle import Oracle
from solon.evals.labels import Better
from solon.feedback.answers import HelpfulnessRater
from solon.prompts.choose import choose_helpful, choose_red_team
from solon.prompts.examples import comparisons_of, demonstrations_of, prompts_of
from solon.prompts.rows import fingerprints
from solon.prompts.split import opening_of
from solon.records import Comparison, Demonstration, Prompt, PromptKind, Record
from solon.world import raters
from solon.world.prompts import harmful_twin, world_prompts
from solon.world.raters import better_under, terms_of

R = TypeVar("R", bound=Record)

RED_TEAM = "prompts/prompts-red-team"
HELPFUL = "prompts/prompts-helpful"
TWINS = "prompts/prompts-twins"
EVALUATION = "prompts/evals"
COMPARISONS = "prompts/comparisons"
DEMONSTRATIONS = "prompts/demonstrations"


@dataclass(frozen=True, kw_only=True)
class PromptSets:
    """Every prompt of a run. Training and evaluation share none."""

    red_team: tuple[Prompt, ...]
    """Harmful and mixed; the supervised phase and the judge's pairs are made from them."""
    helpful: tuple[Prompt, ...]
    """Benign."""
    evaluation: tuple[Prompt, ...]
    twins: dict[str, Prompt] = field(default_factory=dict)
    """For a benign prompt's id, a harmful prompt in the same situation, whose answer is likely a refusal. Files have
    none: a prompt about something else would teach what the answer is about."""
    comparisons: tuple[Comparison, ...] = ()
    """Helpfulness comparisons that the user gave."""
    demonstrations: tuple[Demonstration, ...] = ()
    """Helpful answers that the user gave."""
    rows_in: int
    """Rows that were read, or prompts that were made."""
    rows_out: int
    """Those that serve: as a prompt, as a comparison or as a demonstration."""
    dropped: Counter[str] = field(default_factory=Counter)
    """The others, by reason."""
    notes: tuple[str, ...] = ()
    """What should be said aloud of the files."""

    def files(self) -> dict[str, Sequence[Record]]:
        """What the stage `prompts` keeps, by what other stages call it."""
        return {
            RED_TEAM: self.red_team,
            HELPFUL: self.helpful,
            TWINS: tuple(self.twins.values()),
            EVALUATION: self.evaluation,
            COMPARISONS: self.comparisons,
            DEMONSTRATIONS: self.demonstrations,
        }


def _kept(file: str, record: type[R]) -> cached_property[list[R]]:
    """The rows of a file of the stage `prompts`, read when they are first asked for."""
    return cached_property(lambda prompts: list(prompts.inputs[file].rows(Path(file).name, record)))


class Prompts:
    """What the stage `prompts` keeps, as far as a stage declares to read it; see `PromptSets`."""

    red_team = _kept(RED_TEAM, Prompt)
    helpful = _kept(HELPFUL, Prompt)
    evaluation = _kept(EVALUATION, Prompt)
    comparisons = _kept(COMPARISONS, Comparison)
    demonstrations = _kept(DEMONSTRATIONS, Demonstration)
    _twins = _kept(TWINS, Prompt)

    def __init__(self, inputs: Mapping[str, FinishedStage]) -> None:
        """`inputs`: the finished stage, by each file that may be read."""
        self.inputs = inputs

    @property
    def twins(self) -> dict[str, Prompt]:
        """By the benign prompt's id."""
        return dict(zip((prompt.id for prompt in self.helpful), self._twins, strict=True)) if self._twins else {}

    def by_id(self) -> dict[str, Prompt]:
        """Every prompt but the twins."""
        files = [file for file in (RED_TEAM, HELPFUL, EVALUATION) if file in self.inputs]
        return {prompt.id: prompt for file in files for prompt in self.inputs[file].rows(Path(file).name, Prompt)}

    @property
    def system_turns(self) -> bool:
        """Does any prompt of the run have one?"""
        stage = next(stage for name, stage in self.inputs.items() if name.startswith("prompts/"))
        return bool(stage.manifest.facts["system_turns"])


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """What is true of answers. `feedback` and `train` see the helpfulness rater alone, and on benign prompts only."""

    grader: Grader
    rater: HelpfulnessRater
    """Rates helpfulness pairs on benign prompts."""
    better: Callable[[Prompt, str, str, str], Better]
    """(prompt, a, b, comparison question) -> which answer is better by that question."""

    @property
    def name(self) -> str:
        """How comparisons and the summary name them."""
        return self.grader.card.name


class WorldSource:
    """The synthetic world: prompts without end, and an oracle."""

    def __init__(self) -> None:
        self.truth = GroundTruth(grader=Oracle(), rater=raters.OracleHelpfulness(), better=_better)

    def fingerprints(self) -> dict[str, str]:
        """None: Solon's source holds the world."""
        return {}

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
        """As many as the section says."""

        def training(kind: PromptKind, count: int) -> list[Prompt]:
            return world_prompts(kind, count, split="training", seed=seed)

        helpful = training("benign", section.benign)
        evaluation = [
            prompt
            for kind in get_args(PromptKind)
            for prompt in world_prompts(kind, section.evaluation, split="evaluation", seed=seed)
        ]
        red_team = (*training("harmful", section.harmful), *training("mixed", section.mixed))
        made = len(red_team) + 2 * len(helpful) + len(evaluation)  # a benign prompt and its twin are made together
        return PromptSets(
            red_team=red_team,
            helpful=tuple(helpful),
            evaluation=tuple(evaluation),
            twins={prompt.id: harmful_twin(prompt, seed) for prompt in helpful},
            rows_in=made,
            rows_out=made,
        )


def _better(prompt: Prompt, a: str, b: str, question: str) -> Better:
    return better_under(prompt.turns, a, b, terms_of(question))


@dataclass(frozen=True)
class FileSource:
    """The user's files. There is no ground truth about answers to them."""

    path: str
    helpful_path: str | None
    truth = None

    def fingerprints(self) -> dict[str, str]:
        """Of the files, by hash."""
        paths = {"prompts_file": self.path, "helpful_file": self.helpful_path}
        return {
            f"{name}_{part}" if part else name: value
            for name, path in paths.items()
            if path
            for part, value in fingerprints(path).items()
        }

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
        """Rows of the files, as many as the section allows. What opens like a prompt for training is not held out."""
        found = choose_red_team(self.path, section, seed)
        rows = found.read()
        red_team = tuple(example.prompt for example in rows.training)
        given = _helpful_sets(self.helpful_path, section, seed)
        taught = {opening_of(prompt) for prompt in (*red_team, *given.helpful)}
        held = {prompt.id: prompt for prompt in rows.evaluation}
        every = {**held, **{prompt.id: prompt for prompt in given.evaluation}}
        evaluation = tuple(prompt for prompt in every.values() if opening_of(prompt) not in taught)
        asked = sum(prompt.id in held for prompt in evaluation)
        dropped = found.first.left_out() + given.dropped
        dropped["held out, but opens like a training prompt"] += len(held) - asked
        return replace(
            given,
            red_team=red_team,
            evaluation=evaluation,
            rows_in=found.first.rows + given.rows_in,
            rows_out=len(red_team) + asked + given.rows_out,
            dropped=+dropped,
            notes=found.first.notes() + given.notes,
        )


def _helpful_sets(path: str | None, section: PromptsSection, seed: int) -> PromptSets:
    """Those of the user's helpfulness file. Comparisons and demonstrations stay with the prompts that train."""
    if path is None:
        return PromptSets(red_team=(), helpful=(), evaluation=(), rows_in=0, rows_out=0)
    found = choose_helpful(path, section, seed)
    rows = found.read()
    comparisons, demonstrations = comparisons_of(rows.training, found.first.name), demonstrations_of(rows.training)
    return PromptSets(
        red_team=(),
        helpful=prompts_of(rows.training),
        evaluation=rows.evaluation,
        comparisons=comparisons,
        demonstrations=demonstrations,
        rows_in=found.first.rows,
        rows_out=len(comparisons) + len(demonstrations),
        dropped=found.first.left_out(),
        notes=found.first.notes(),
    )


def prompt_source(section: PromptsSection) -> WorldSource | FileSource:
    """The world, or files."""
    if section.source == WORLD:
        return WorldSource()
    return FileSource(section.source, section.helpful)
