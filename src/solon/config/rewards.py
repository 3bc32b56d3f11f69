"""What answers earn in RL: the section that says of which terms the reward is the sum."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from solon.config.paths import FolderPath
from solon.config.section import Section

Weight = Annotated[float, Field(ge=0.0)]


class RewardModelSection(Section):
    """A preference model of another run. It reads texts in its own tokenizer and dialogue format."""

    path: FolderPath = ""
    """Required: what that run's preference stage wrote, e.g. `runs/a/models/pm/model`."""
    weight: Weight = 1.0


class RewardsSection(Section):
    """The reward of an answer is the sum of these terms, each times its weight. A term of weight 0 is not computed.

    Scores of models are as large as `scale` says; all other terms are what is wrong with a text, from 0 down to -1, but
    for length, which counts tokens.
    """

    preference: Weight = 1.0
    """The run's own preference model. 0: the run trains none."""
    models: dict[str, RewardModelSection] = Field(default_factory=dict)
    """Further preference models, each by a name of your own."""
    judge: Weight = 0.0
    """The judge, asked anew in every step which of two answers to a prompt is better: the mean probability of winning
    (online AI feedback: 2402.04792; without a preference model: 2309.00267; mean over the group: 2401.04056)."""
    judge_pairs: int | None = Field(None, ge=1)
    """Comparisons that each answer begins, with those that follow it in its group, in a circle: it is in twice as many.
    None: every two answers of a group are compared."""
    scale: Literal["auto", "score", "standard"] = "auto"
    """`score`: as models give them, log-odds or probabilities. `standard`: mean 0 and standard deviation 1 over the
    answers of the first step, which are SL-CAI's own (1909.08593 section 2.1), so that weights of several compare.
    `auto`: `score` where the only model is one preference model, else `standard`."""
    length: Weight = 0.0
    """Of each token that an answer has too few or too many."""
    length_between: tuple[int, int] | None = None
    """Tokens that cost nothing, e.g. [0, 120], a soft limit, or [80, 80], a target."""
    repetition: Weight = 0.0
    """The share of its 4-grams that have stood in the answer before."""
    openings: Weight = 0.0
    """The share of the step's answers to other prompts that begin with the same four words."""
    preaching: Weight = 0.0
    """The share of sentences that lecture, by English words."""
    evasiveness: Weight = 0.0
    """1 for an answer that refuses and gives neither reasons nor help (CAI section 4.4), and for one that refuses any
    part of a benign request; by English words."""

    @property
    def of_models(self) -> dict[str, float]:
        """Weights above 0 of all terms that a model gives."""
        own = {"preference": self.preference, "judge": self.judge}
        named = {f"models.{name}": model.weight for name, model in self.models.items()}
        return {name: weight for name, weight in (own | named).items() if weight}

    @property
    def of_texts(self) -> dict[str, float]:
        """Weights above 0 of the other terms."""
        names = ("length", "repetition", "openings", "preaching", "evasiveness")
        return {name: weight for name in names if (weight := getattr(self, name))}

    @property
    def standardized(self) -> bool:
        """Whether scores of models are."""
        if self.scale != "auto":
            return self.scale == "standard"
        return len(self.of_models) > 1 or self.judge > 0

    def result_settings(self) -> dict[str, JsonValue]:
        """Without those that are not set: runs with the preference model alone are what they were before there was
        anything else."""
        kept = super().result_settings()
        plain = {name: field.get_default(call_default_factory=True) for name, field in type(self).model_fields.items()}
        changed = {name: value for name, value in kept.items() if value != plain[name]}
        models: dict[str, JsonValue] = {name: one.result_settings() for name, one in self.models.items()}
        return changed | ({"models": models} if models else {})
