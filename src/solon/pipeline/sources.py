"""Where a run's prompts come from, and who knows the truth about answers: the synthetic world, or the user's files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from solon.config import PromptsSection
from solon.evals.answers import KINDS, Grade, Grader
from solon.evals.labels import Better
from solon.feedback.rate import HelpfulnessRater
from solon.prompts.helpful import HelpfulFile, read_helpful
from solon.prompts.read import read_prompts
from solon.prompts.split import choose_prompts, split_prompts
from solon.records import Comparison, Demonstration, Prompt, PromptKind
from solon.seeds import generator
from solon.world import raters
from solon.world.oracle import judge
from solon.world.prompts import harmful_twin, world_prompts
from solon.world.raters import better_under, terms_of


@dataclass(frozen=True, kw_only=True)
class PromptSets:
    """Every prompt of a run. Training and evaluation share none."""

    red_team: tuple[Prompt, ...]
    """Harmful and mixed; the supervised phase and the judge's pairs are made from them."""
    helpful: tuple[Prompt, ...]
    """Benign."""
    evaluation: tuple[Prompt, ...]
    twins: dict[str, Prompt]
    """For a benign prompt's id, a harmful prompt whose answer is likely a refusal."""
    comparisons: tuple[Comparison, ...] = ()
    """Helpfulness comparisons that the user gave."""
    demonstrations: tuple[Demonstration, ...] = ()
    """Helpful answers that the user gave."""
    dropped: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, kw_only=True)
class KnownTruth:
    """Whoever knows the truth. `feedback` and `train` see the helpfulness rater alone, and on benign prompts only."""

    name: str
    grader: Grader
    better: Callable[[Prompt, str, str, str], Better]
    """(prompt, a, b, comparison question) -> which answer is better by that question."""
    harms: tuple[str, ...]
    """Every category of harm that the grader knows."""


class PromptSource(Protocol):
    """Prompts, and what can be known about answers to them."""

    @property
    def truth(self) -> KnownTruth | None:
        """None where nobody knows."""

    @property
    def rater(self) -> HelpfulnessRater:
        """Rates helpfulness pairs on benign prompts."""

    @property
    def rater_name(self) -> str:
        """How comparisons name the rater."""

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets: ...


class WorldSource:
    """The synthetic world: prompts without end, and an oracle."""

    rater_name = "oracle"

    def __init__(self) -> None:
        self.rater: HelpfulnessRater = raters.OracleHelpfulness()
        self.truth: KnownTruth | None = KnownTruth(
            name="oracle", grader=_grade, better=_better, harms=raters.harm_names()
        )

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
        def training(kind: PromptKind, count: int) -> list[Prompt]:
            return world_prompts(kind, count, split="training", seed=seed)

        helpful = training("benign", section.benign)
        evaluation = [
            prompt
            for kind in KINDS
            for prompt in world_prompts(kind, section.evaluation, split="evaluation", seed=seed)
        ]
        return PromptSets(
            red_team=(*training("harmful", section.harmful), *training("mixed", section.mixed)),
            helpful=tuple(helpful),
            evaluation=tuple(evaluation),
            twins={prompt.id: harmful_twin(prompt, seed) for prompt in helpful},
        )


def _grade(prompt: Prompt, answer: str) -> Grade:
    found = judge(prompt.turns, answer)
    return Grade(
        harmful=found.harmful,
        evasive=found.evasive,
        preachy=found.preachy,
        rude=found.rude,
        malformed=found.malformed,
        helpful=found.helpful,
        objection=found.objection,
        harms=tuple(sorted(set(found.harms))),
    )


def _better(prompt: Prompt, a: str, b: str, question: str) -> Better:
    return better_under(prompt.turns, a, b, terms_of(question))


class OwnAnswerHelps:
    """Knows one thing without reading: an answer to the prompt helps more than an answer to another, harmful one.

    It rates needless refusals alone (`Pair.a` is the own answer); of two own answers it cannot tell.
    """

    def rate(self, prompt: Prompt, a: str, b: str) -> float | None:
        return 1.0


@dataclass(frozen=True)
class FileSource:
    """The user's files. Nobody knows the truth about answers to them."""

    path: str
    helpful_path: str | None
    truth: KnownTruth | None = None
    rater: HelpfulnessRater = field(default_factory=OwnAnswerHelps)
    rater_name: str = "construction"

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
        found = read_prompts(self.path, "harmful")
        halves = split_prompts(found.prompts, evaluation=section.evaluation, seed=seed)
        red_team = choose_prompts(
            [prompt for prompt in halves.training if prompt.kind != "benign"],
            section.harmful + section.mixed,
            seed=seed,
        )
        given = read_helpful(self.helpful_path) if self.helpful_path else None
        helpful, held_out = _helpful_prompts(given, section, seed)
        dropped = found.dropped + (given.dropped if given else Counter())
        dropped["more than asked for"] += len(halves.training) - len(red_team)
        kept = {prompt.id for prompt in helpful}
        return PromptSets(
            red_team=red_team,
            helpful=helpful,
            evaluation=(*halves.evaluation, *held_out),
            twins={
                prompt.id: red_team[int(generator(seed, "twin", prompt.id).integers(len(red_team)))]
                for prompt in helpful
            },
            comparisons=tuple(c for c in given.comparisons if c.prompt_id in kept) if given else (),
            demonstrations=tuple(d for d in given.demonstrations if d.prompt_id in kept) if given else (),
            dropped=+dropped,
        )


def _helpful_prompts(
    given: HelpfulFile | None, section: PromptsSection, seed: int
) -> tuple[tuple[Prompt, ...], tuple[Prompt, ...]]:
    """(training, evaluation); a single helpful prompt can only train."""
    if given is None:
        return (), ()
    if len(given.prompts) < 2:
        return given.prompts, ()
    halves = split_prompts(given.prompts, evaluation=section.evaluation, seed=seed)
    return choose_prompts(halves.training, section.benign, seed=seed), halves.evaluation


def prompt_source(section: PromptsSection) -> PromptSource:
    """The world, or files."""
    if section.source == "world":
        return WorldSource()
    return FileSource(section.source, section.helpful)
