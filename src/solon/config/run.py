"""A whole run: every section, and what only all of them together say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from solon.config.evaluations import EvaluationsSection
from solon.config.feedback import (
    ConstitutionSection,
    HelpfulnessSection,
    JudgeSection,
    PairsSection,
    QualitySection,
    SupervisedSection,
)
from solon.config.models import ModelsSection
from solon.config.monitor import Gold
from solon.config.paths import WORLD
from solon.config.prompts import PromptsSection
from solon.config.sampling import SamplingOverrides, SamplingSection
from solon.config.scenarios import ScenariosSection
from solon.config.section import MECHANICAL, Section
from solon.config.training import DPOSection, PreferenceSection, RLSection, SFTSection


class EvaluationSection(SamplingOverrides):
    """How base, SL-CAI and RL-CAI answer the held-out prompts."""


class ClusterSection(Section):
    """Workers of a Ray cluster (`--cluster`). Each has engines of its own for the models that a stage asks."""

    workers: Annotated[int | None, MECHANICAL] = Field(None, ge=1)
    """None: as many as the machines have room for now."""
    gpus: Annotated[float | None, MECHANICAL] = Field(None, ge=0.0)
    """Of each worker. None: 1 if the cluster has any."""
    cpus: Annotated[float | None, MECHANICAL] = Field(None, gt=0.0)
    """Of each worker; its engine has as many threads. None: 1 beside a GPU, else all of the smallest machine."""


Tracker = Literal["tensorboard", "wandb"]
"""What can be told of steps of training; each is called as its library."""


class TrackingSection(Section):
    """Where steps of training are shown while they happen, beside `steps.jsonl`."""

    to: Annotated[tuple[Tracker, ...], MECHANICAL] = ()


class RunConfig(Section):
    """A whole run."""

    name: str = "run"
    seed: int = Field(0, ge=0, lt=1 << 63)
    alignment: Literal["rl", "dpo"] = "rl"
    """What makes the final model of SL-CAI: a preference model and RL (CAI section 4.2), or DPO on the comparisons."""
    models: ModelsSection = ModelsSection()
    constitution: ConstitutionSection = ConstitutionSection()
    prompts: PromptsSection = PromptsSection()
    scenarios: ScenariosSection = ScenariosSection()
    sampling: SamplingSection = SamplingSection()
    supervised: SupervisedSection = SupervisedSection()
    quality: QualitySection = QualitySection()
    sft: SFTSection = SFTSection()
    pairs: PairsSection = PairsSection()
    judge: JudgeSection = JudgeSection()
    helpfulness: HelpfulnessSection = HelpfulnessSection()
    preference: PreferenceSection = PreferenceSection()
    rl: RLSection = RLSection()
    dpo: DPOSection = DPOSection()
    evaluation: EvaluationSection = EvaluationSection()
    evaluations: EvaluationsSection = EvaluationsSection()
    cluster: ClusterSection = ClusterSection()
    tracking: TrackingSection = TrackingSection()

    @property
    def gold(self) -> Gold | None:
        """What the monitor of RL goes by, if there is one."""
        if self.alignment != "rl" or self.rl.monitor is None:
            return None
        return self.rl.monitor.gold or ("oracle" if self.prompts.source == WORLD else "judge")

    def token_limits(self) -> dict[str, int]:
        """The token limit of each kind of text, by the key of the run file that sets it."""
        sampling = self.sampling
        limits = {
            "sampling": sampling.max_new_tokens,
            "sampling.answers": sampling.answers.max_new_tokens,
            "sampling.revisions": sampling.revisions.max_new_tokens,
            "sampling.reasoning": sampling.reasoning.max_new_tokens,
            "pairs": self.pairs.max_new_tokens,
            "evaluation": self.evaluation.max_new_tokens,
            "evaluations.refusals": self.evaluations.refusals.max_new_tokens,
            "evaluations.preachiness": self.evaluations.preachiness.max_new_tokens,
            "evaluations.gsm8k": self.evaluations.gsm8k.max_new_tokens,
            "evaluations.elo": self.evaluations.elo.max_new_tokens,
        }
        return {f"{name}.max_new_tokens": limit for name, limit in limits.items() if limit}
