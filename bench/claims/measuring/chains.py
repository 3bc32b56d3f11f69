"""Chains of critique and revision, the same work for Solon's engine and its peers: each is a `LanguageModel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from measuring.turns import median_seconds, tell
from solon.config.feedback import SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.load import load_constitution
from solon.feedback.critique import AS_IN_THE_PAPER, revise
from solon.feedback.rows import Sampler
from solon.lm.protocols import LanguageModel, Sampling
from solon.prompting.asking import CritiqueFormat
from solon.records import Prompt


@dataclass(frozen=True, kw_only=True)
class Chains:
    """An answer and rounds of critique and revision for every prompt."""

    prompts: Sequence[Prompt]
    constitution: str
    rounds: int
    new_tokens: int
    """Of every text: models have no end, see `measuring.models.endless`."""
    shots: Sequence[CritiqueShot] = ()
    asked: CritiqueFormat = AS_IN_THE_PAPER

    @property
    def setting(self) -> str:
        shots = f", {len(self.shots)}-shot" if self.shots else ""
        rounds = f"{self.rounds} round{'s' if self.rounds > 1 else ''}"
        return f"{len(self.prompts)} prompts, {rounds}{shots}, {self.new_tokens} new tokens a text"

    def write(self, model: LanguageModel, count: int | None = None) -> int:
        """Tokens written for the first `count` prompts, all by default."""
        sampling = Sampling(temperature=1.0, max_new_tokens=self.new_tokens)
        sampler = Sampler(model=model, sampling=sampling, seed=0, stage="bench")
        principles = load_constitution(self.constitution).critique_principles()
        section, prompts = SupervisedSection(rounds=self.rounds), self.prompts[:count]
        rows = revise(prompts, sampler, sampler, principles, section, shots=self.shots, format=self.asked)
        wanted = len(prompts) * (1 + 2 * self.rounds) * self.new_tokens
        if len(rows.records) != len(prompts) or rows.tokens != wanted:
            raise RuntimeError(f"{rows.tokens} tokens written, not {wanted}; dropped: {dict(rows.dropped)}")
        return rows.tokens

    def per_second(self, models: Mapping[str, LanguageModel], repetitions: int) -> dict[str, float]:
        """Chains per second of each model, all warm, measured in turns."""
        for name, model in models.items():
            tell(f"warming: {name}")
            self.write(model, 2)
        sides = {name: partial(self.write, model) for name, model in models.items()}
        return {name: len(self.prompts) / taken for name, taken in median_seconds(sides, repetitions).items()}
