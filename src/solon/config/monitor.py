"""The section of the run file that says how RL is watched from outside its reward."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from solon.config.paths import FolderPath
from solon.config.section import Section

Gold = Literal["oracle", "judge", "model"]
"""What says how good an answer is. `oracle`: of the world's answers, the truth. `judge`: `models.judge`, whether the
answer is better than the starting policy's to the same prompt. `model`: another preference model."""


class MonitorSection(Section):
    """Looks at the policy's answers to prompts that neither RL nor the preference model learns from (drawn from
    `preference.holdout`), and ends RL when the reward rises and a measure that it never used falls (2210.10760)."""

    gold: Gold | None = None
    """None: the oracle in the world, the judge elsewhere."""
    model: FolderPath = ""
    """With `gold = "model"`: a folder of a preference model that is not this run's own."""
    principle: str | None = None
    """With the judge: the id of a principle that no label of this run used. None: the constitution as a whole."""
    every: int = Field(10, ge=1)
    """Steps from one look to the next. Assumption."""
    prompts: int = Field(100, ge=2)
    """At most. Assumption: with 100, an interval of a share is 10 points to either side at most."""
    samples_per_prompt: int = Field(1, ge=1)
    likeliest: bool = Field(False, exclude_if=lambda on: not on)
    """Whether looks also keep the likeliest answer to each prompt (temperature 0), which nothing goes by. CAI figure 10
    shows both."""
    patience: int = Field(2, ge=1)
    """Looks in a row at which the gold measure must have fallen before RL ends. By simulation, of policies that do not
    change 1 to 3 of 100 are ended with 2, and 12 to 27 with 1 (docs/log.md)."""
    stop: bool = True
    """False: RL goes on to its last step, and the report says where it would have ended."""
    max_kl: float | None = Field(None, gt=0.0)
    """Nats per answer: RL ends beyond that. None, as for the three below: no limit, the figure is kept all the same."""
    max_length_change: float | None = Field(None, gt=0.0)
    """Of the mean length, as a share of what it was before RL: 0.5 ends RL at half as long again, or at half."""
    max_boilerplate_rise: float | None = Field(None, gt=0.0)
    """In share points: of an answer's runs of four words, those that stand in an answer to another prompt too."""
    max_evasion_rise: float | None = Field(None, gt=0.0)
    """In share points: of benign prompts, those that are refused, by the words of the answer (English)."""
