"""Where a run's prompts come from, with ground truth about answers if there is any: the synthetic world, or files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

from solon.artifacts.finished import FinishedStage
from solon.config.paths import WORLD
from solon.config.prompts import PromptsSection
from solon.constitution.principles import Principle
from solon.data.apart import Split, held_apart, opening_words, words_of
from solon.data.choose import NOTHING, choose_helpful, choose_red_team
from solon.data.examples import comparisons_of, demonstrations_of, prompts_of
from solon.data.reading import Example
from solon.data.rows import fingerprints, name_of
from solon.evals.grader import Grader
from solon.evals.graders.oracle import Oracle
from solon.evals.labels import Better
from solon.feedback.answers import HelpfulnessRater
from solon.records import Comparison, Demonstration, Prompt, PromptKind, Record
from solon.world import raters
from solon.world.prompts import article_prompts, harmful_twin, world_prompts
from solon.world.raters import better_under, terms_of

R = TypeVar("R", bound=Record)

RED_TEAM = "prompts/prompts-red-team"
HELPFUL = "prompts/prompts-helpful"
TWINS = "prompts/prompts-twins"
EVALUATION = "prompts/evals"
SCENARIOS = "scenarios/prompts"
WHY = "dialogues/prompts"
COMPARISONS = "prompts/comparisons"
DEMONSTRATIONS = "prompts/demonstrations"


@dataclass(frozen=True, kw_only=True)
class PromptSets:
    """The prompts of a run. Training and evaluation share none."""

    red_team: Sequence[Prompt] = ()
    """Harmful and mixed, and scenarios of articles; the supervised phase and the judge's pairs are made from them."""
    explanations: Sequence[Prompt] = ()
    """What is asked before explanations of answers to scenarios; finetuning alone learns from them."""
    helpful: Sequence[Prompt] = ()
    evaluation: Sequence[Prompt] = ()
    twins: Mapping[str, Prompt] = field(default_factory=dict)
    """For each helpful prompt's id, a harmful prompt in the same situation, whose answer is likely a refusal. Files
    have none: a prompt about something else would teach what the answer is about."""
    comparisons: Sequence[Comparison] = ()
    """Helpfulness comparisons that the user gave."""
    demonstrations: Sequence[Demonstration] = ()
    """Helpful answers that the user gave."""
    rows_in: int = 0
    """Rows that were read, or prompts that were made."""
    rows_out: int = 0
    """Those that serve: as a prompt, as a comparison or as a demonstration."""
    dropped: Counter[str] = field(default_factory=Counter)
    """The others, by reason."""
    notes: tuple[str, ...] = ()
    """What should be said aloud of the files."""

    @classmethod
    def read(cls, inputs: Mapping[str, FinishedStage]) -> PromptSets:
        """What stages keep. `inputs`: them, by each file that may be read; other sets are empty."""

        def rows(file: str, record: type[R]) -> Sequence[R]:
            return inputs[file].rows(Path(file).name, record) if file in inputs else ()

        helpful, twins = rows(HELPFUL, Prompt), rows(TWINS, Prompt)
        return cls(
            red_team=_together(rows(RED_TEAM, Prompt), rows(SCENARIOS, Prompt)),
            explanations=rows(WHY, Prompt),
            helpful=helpful,
            evaluation=rows(EVALUATION, Prompt),
            twins=dict(zip((prompt.id for prompt in helpful), twins, strict=True)) if twins else {},
            comparisons=rows(COMPARISONS, Comparison),
            demonstrations=rows(DEMONSTRATIONS, Demonstration),
        )

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

    def split(self, section: PromptsSection) -> tuple[Split, list[str]]:
        """How training and evaluation prompts differ, and warnings. Raises `PromptError` if a prompt is both."""
        training = (*self.red_team, *self.helpful, *self.twins.values())
        return held_apart(training, self.evaluation, near=section.source != WORLD)

    def taught(self) -> dict[str, str]:
        """The texts that training is made of, by ids: prompts, scenarios, and answers that the user gave."""
        prompts = (*self.red_team, *self.explanations, *self.helpful, *self.twins.values())
        answers = {f"{one.id}, {side}": getattr(one, side) for one in self.comparisons for side in ("a", "b")}
        answers |= {one.id: one.answer for one in self.demonstrations}
        return {prompt.id: words_of(prompt) for prompt in prompts} | answers

    def by_id(self) -> dict[str, Prompt]:
        """Every prompt but the twins."""
        every = (*self.red_team, *self.explanations, *self.helpful, *self.evaluation)
        return {prompt.id: prompt for prompt in every}


def _together(first: Sequence[Prompt], second: Sequence[Prompt]) -> Sequence[Prompt]:
    """Rows that lie in files stay there where there is nothing to add to them."""
    return [*first, *second] if first and second else first or second


def prompt_sets(section: PromptsSection, seed: int) -> PromptSets:
    """As many prompts as the section says, of the world or of files."""
    return (_world_sets if section.source == WORLD else _file_sets)(section, seed)


def prompt_files(section: PromptsSection) -> dict[str, str]:
    """The user's files, by hash. Solon's source holds the world."""
    paths = {"prompts_file": section.source, "helpful_file": section.helpful}
    return {
        f"{name}_{part}" if part else name: sha256
        for name, path in paths.items()
        if path and section.source != WORLD
        for part, sha256 in fingerprints(path).items()
    }


def _world_sets(section: PromptsSection, seed: int) -> PromptSets:
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


def _file_sets(section: PromptsSection, seed: int) -> PromptSets:
    """Rows of the files. What opens like a prompt for training is not held out."""
    found = [choose_red_team(section.source, section, seed)]
    if section.helpful:
        found.append(choose_helpful(section.helpful, section, seed))
    red_team, helpful = [choice.read() for choice in found] + [NOTHING] * (2 - len(found))
    given = helpful.training
    prompts, helpful_prompts = prompts_of(red_team.training), prompts_of(given)
    taught = {opening_words(prompt) for prompt in (*prompts, *helpful_prompts)}
    held = (*red_team.evaluation, *helpful.evaluation)
    asked = [example for example in held if opening_words(example.prompt) not in taught]
    dropped = sum((choice.first.left_out() for choice in found), Counter[str]())
    dropped["held out, but opens like a training prompt"] += _alone(held) - _alone(asked)
    comparisons, demonstrations = comparisons_of(given, name_of(section.helpful or "")), demonstrations_of(given)
    return PromptSets(
        red_team=prompts,
        helpful=helpful_prompts,
        evaluation=prompts_of(asked),
        comparisons=comparisons,
        demonstrations=demonstrations,
        rows_in=sum(choice.first.rows for choice in found),
        rows_out=len(prompts) + _alone(asked) + _alone(given) + len(comparisons) + len(demonstrations),
        dropped=+dropped,
        notes=tuple(note for choice in found for note in choice.first.notes()),
    )


def _alone(examples: Iterable[Example]) -> int:
    """How many are a prompt without an answer."""
    return sum(not example.answers for example in examples)


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """What is true of answers. `feedback` and `train` see the helpfulness rater alone, and on benign prompts only."""

    grader: Grader
    rater: HelpfulnessRater
    better: Callable[[Prompt, str, str, str], Better]
    """(prompt, a, b, comparison question) -> which answer is better by that question."""

    @property
    def name(self) -> str:
        """How comparisons and the summary name them."""
        return self.grader.card.name


def ground_truth(section: PromptsSection) -> GroundTruth | None:
    """The world has an oracle; to the user's files there is no ground truth."""
    if section.source != WORLD:
        return None
    return GroundTruth(grader=Oracle(), rater=raters.OracleHelpfulness(), better=_better)


def _better(prompt: Prompt, a: str, b: str, question: str) -> Better:
    return better_under(prompt.turns, a, b, terms_of(question))


WorldScenarios = Callable[[Principle, int, int], list[Prompt]]
"""(principle, count, seed) -> prompts in which it matters."""


def world_scenarios(section: PromptsSection) -> WorldScenarios | None:
    """The world knows which of its requests lead to which faults; other prompts need a model to write scenarios."""
    return _world_scenarios if section.source == WORLD else None


def _world_scenarios(principle: Principle, count: int, seed: int) -> list[Prompt]:
    """Requests for the harms that the principle's question names; if it names none, for any: there faults of style
    come up most. They stay `harmful`: graders know them by that."""
    named = terms_of(principle.comparison_question or "")
    own = article_prompts(principle.id, named, count, seed=seed)
    return [one.model_copy(update={"principle_id": principle.id}) for one in own]
