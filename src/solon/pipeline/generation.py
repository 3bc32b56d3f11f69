"""What the generating stages do with one shard of their rows: from prompts or pairs to records.

Each method is a function of its rows, the run file and the models alone, so that a shard can be made again. A model is
loaded when the first shard needs it, and released with the object that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from solon.config import RunConfig, SamplingSection
from solon.constitution.few_shots import FewShots
from solon.constitution.principles import Principle
from solon.feedback.critique import revise
from solon.feedback.judge import judge
from solon.feedback.made import Made
from solon.feedback.pair import answer_pairs, twin_pairs
from solon.feedback.rate import rate_pairs
from solon.feedback.refusals import needless_refusals
from solon.feedback.respond import respond
from solon.lm.protocols import LanguageModel, Progress
from solon.pipeline.actors import Actors
from solon.pipeline.sources import PromptSets, PromptSource
from solon.prompting.few_shots import ComparisonFormat, comparison_format
from solon.records import Answer, Comparison, Pair, Prompt, Revision

T = TypeVar("T")


class Supervision:
    """The assistant's part: answers, critiques and revisions."""

    def __init__(self, actors: Actors, few_shots: FewShots, progress: Progress) -> None:
        self.actors, self.few_shots, self.progress = actors, few_shots, progress
        self.config: RunConfig = actors.config

    @cached_property
    def model(self) -> LanguageModel:
        return self.actors.language_model(self.actors.path("assistant"), "assistant", self.progress)

    def revisions(self, prompts: Sequence[Prompt], principles: Sequence[Principle]) -> Made[Revision]:
        """First answers, and rounds of critique and revision."""
        return revise(
            prompts,
            self.model,
            principles,
            self.config.supervised,
            self.config.sampling,
            seed=self.config.seed,
            shots=self.few_shots.critique,
        )

    def helpful(self, prompts: Sequence[Prompt]) -> Made[Answer]:
        """Own answers to benign prompts."""
        copies, seed = self.config.sft.helpful_per_prompt, self.config.seed
        return respond(prompts, self.model, self.config.sampling, seed=seed, stage="helpful", copies=copies)


class Judging:
    """The judge's part: AI labels."""

    def __init__(self, actors: Actors, few_shots: FewShots, prompts: Sequence[Prompt], progress: Progress) -> None:
        self.actors, self.few_shots, self.progress = actors, few_shots, progress
        self.config: RunConfig = actors.config
        self.prompts = {prompt.id: prompt for prompt in prompts}

    @cached_property
    def format(self) -> ComparisonFormat:
        return comparison_format(self.actors.format(self.actors.path("judge"), "judge"))

    @cached_property
    def model(self) -> LanguageModel:
        return self.actors.language_model(self.actors.path("judge"), "judge", self.progress)

    def comparisons(self, pairs: Sequence[Pair], principles: Sequence[Principle]) -> Made[Comparison]:
        """One soft label per pair."""
        asked = dict.fromkeys(pair.prompt_id for pair in pairs)
        return judge(
            pairs,
            [self.prompts[name] for name in asked],
            self.model,
            self.format,
            principles,
            self.config.judge,
            self.config.sampling,
            seed=self.config.seed,
            few_shots=self.few_shots,
        )


class Policy:
    """SL-CAI's part: pairs of answers to be compared."""

    def __init__(self, actors: Actors, folder: Path, source: PromptSource, progress: Progress) -> None:
        self.actors, self.folder, self.source, self.progress = actors, folder, source, progress
        self.config: RunConfig = actors.config

    @cached_property
    def model(self) -> LanguageModel:
        return self.actors.language_model(self.folder, "base", self.progress)

    @property
    def sampling(self) -> SamplingSection:
        """As elsewhere, but at the temperature of pairs."""
        return self.config.sampling.model_copy(update={"temperature": self.config.pairs.temperature})

    def pairs(self, prompts: Sequence[Prompt], stage: str = "pairs", per_prompt: int | None = None) -> Made[Pair]:
        """Two answers per prompt."""
        return answer_pairs(
            prompts,
            self.model,
            self.sampling,
            seed=self.config.seed,
            stage=stage,
            per_prompt=self.config.pairs.per_prompt if per_prompt is None else per_prompt,
        )

    def helpfulness(self, prompts: Sequence[Prompt], sets: PromptSets) -> Made[Comparison]:
        """Own answers beside each other and beside needless refusals; whoever knows the truth rates them. Where nobody
        does, needless refusals alone, which are detected."""
        if self.source.truth is None:
            return self._detected(prompts)
        section, truth = self.config.helpfulness, self.source.truth
        own = self.pairs(prompts, "helpful-pairs", section.per_prompt)
        refusals = twin_pairs(
            prompts,
            sets.twins,
            self.model,
            self.sampling,
            seed=self.config.seed,
            per_prompt=section.needless_refusals_per_prompt,
        )
        pairs = [*own.records, *refusals.records]
        return _followed(_followed(own, refusals), rate_pairs(pairs, prompts, truth.rater, truth.name))

    def _detected(self, prompts: Sequence[Prompt]) -> Made[Comparison]:
        section = self.config.helpfulness
        return needless_refusals(
            prompts,
            self.model,
            self.sampling,
            section.refusal_instruction,
            seed=self.config.seed,
            per_prompt=section.needless_refusals_per_prompt,
        )


def _followed(first: Made[Pair], last: Made[T]) -> Made[T]:
    """The last step's records, with the account of both."""
    return Made(
        records=last.records,
        dropped=first.dropped + last.dropped,
        noted=first.noted + last.noted,
        tokens=first.tokens + last.tokens,
    )
