"""Where a run's prompts come from, and who knows the truth about answers: the synthetic world, or the user's files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, get_args

from solon.artifacts import StageFolder
from solon.config import WORLD, PromptsSection
from solon.evals.grader import Grader
from solon.evals.graders.oracle import Oracle
from solon.evals.labels import Better
from solon.feedback.rate import HelpfulnessRater
from solon.prompts.choose import choose_helpful, choose_red_team
from solon.prompts.helpful import comparisons_of, demonstrations_of, prompts_of
from solon.prompts.rows import fingerprints
from solon.prompts.split import opening_of
from solon.records import Comparison, Demonstration, Prompt, PromptKind, Record
from solon.world import raters
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

    def by_id(self) -> dict[str, Prompt]:
        """Every prompt, twins among them."""
        return {p.id: p for p in (*self.red_team, *self.helpful, *self.evaluation, *self.twins.values())}

    def rows(self) -> dict[str, Sequence[Record]]:
        """The files in which the stage `prompts` keeps them."""
        return {
            "prompts-red-team": self.red_team,
            "prompts-helpful": self.helpful,
            "prompts-twins": tuple(self.twins.values()),
            "evals": self.evaluation,
            "comparisons": self.comparisons,
            "demonstrations": self.demonstrations,
        }


def read_prompts(stage: StageFolder) -> PromptSets:
    """What the finished stage `prompts` keeps."""
    counts = stage.finished.counts
    helpful, twins = (stage.read_records(f"prompts-{part}", Prompt) for part in ("helpful", "twins"))
    return PromptSets(
        red_team=tuple(stage.read_records("prompts-red-team", Prompt)),
        helpful=tuple(helpful),
        evaluation=tuple(stage.read_records("evals", Prompt)),
        twins={prompt.id: twin for prompt, twin in zip(helpful, twins, strict=True)} if twins else {},
        comparisons=tuple(stage.read_records("comparisons", Comparison)),
        demonstrations=tuple(stage.read_records("demonstrations", Demonstration)),
        rows_in=counts.rows_in,
        rows_out=counts.rows_out,
        dropped=Counter(counts.dropped),
    )


@dataclass(frozen=True, kw_only=True)
class KnownTruth:
    """Whoever knows the truth. `feedback` and `train` see the helpfulness rater alone, and on benign prompts only."""

    grader: Grader
    rater: HelpfulnessRater
    """Rates helpfulness pairs on benign prompts."""
    better: Callable[[Prompt, str, str, str], Better]
    """(prompt, a, b, comparison question) -> which answer is better by that question."""

    @property
    def name(self) -> str:
        """How comparisons and the summary name them."""
        return self.grader.card.name


class PromptSource(Protocol):
    """Prompts, and what can be known about answers to them."""

    @property
    def truth(self) -> KnownTruth | None:
        """None where nobody knows."""

    def fingerprints(self) -> dict[str, str]:
        """What the prompts are made from, by hash: a run whose files have changed must not go on as if they had not."""

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets: ...


class WorldSource:
    """The synthetic world: prompts without end, and an oracle."""

    def __init__(self) -> None:
        self.truth: KnownTruth | None = KnownTruth(grader=Oracle(), rater=raters.OracleHelpfulness(), better=_better)

    def fingerprints(self) -> dict[str, str]:
        return {}

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
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
    """The user's files. Nobody knows the truth about answers to them."""

    path: str
    helpful_path: str | None
    truth: KnownTruth | None = None

    def fingerprints(self) -> dict[str, str]:
        paths = {"prompts_file": self.path, "helpful_file": self.helpful_path}
        return {
            f"{name}_{part}" if part else name: value
            for name, path in paths.items()
            if path
            for part, value in fingerprints(path).items()
        }

    def prompt_sets(self, section: PromptsSection, seed: int) -> PromptSets:
        found = choose_red_team(self.path, section, seed)
        rows = found.read()
        red_team = tuple(example.prompt for example in rows.training)
        given = _Helpful.read(self.helpful_path, section, seed)
        taught = {opening_of(prompt) for prompt in (*red_team, *given.training)}
        held = {prompt.id: prompt for prompt in rows.evaluation}
        every = {**held, **{prompt.id: prompt for prompt in given.evaluation}}
        evaluation = tuple(prompt for prompt in every.values() if opening_of(prompt) not in taught)
        asked = sum(prompt.id in held for prompt in evaluation)
        dropped = found.dropped + given.dropped
        dropped["held out, but opens like a training prompt"] += len(held) - asked
        return PromptSets(
            red_team=red_team,
            helpful=given.training,
            evaluation=evaluation,
            comparisons=given.comparisons,
            demonstrations=given.demonstrations,
            rows_in=found.rows + given.rows,
            rows_out=len(red_team) + asked + len(given.comparisons) + len(given.demonstrations),
            dropped=+dropped,
            notes=found.notes + given.notes,
        )


@dataclass(frozen=True, kw_only=True)
class _Helpful:
    """What the user's helpfulness file gives to a run; nothing without one."""

    training: tuple[Prompt, ...] = ()
    evaluation: tuple[Prompt, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    demonstrations: tuple[Demonstration, ...] = ()
    rows: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: str | None, section: PromptsSection, seed: int) -> _Helpful:
        """Comparisons and demonstrations stay with the prompts that train."""
        if path is None:
            return cls()
        found = choose_helpful(path, section, seed)
        rows = found.read()
        return cls(
            training=prompts_of(rows.training),
            evaluation=rows.evaluation,
            comparisons=comparisons_of(rows.training, found.name),
            demonstrations=demonstrations_of(rows.training),
            rows=found.rows,
            dropped=found.dropped,
            notes=found.notes,
        )


def prompt_source(section: PromptsSection) -> PromptSource:
    """The world, or files."""
    if section.source == WORLD:
        return WorldSource()
    return FileSource(section.source, section.helpful)
