"""The monitor of RL: what the policy answers to prompts that RL does not ask, and how good that is from outside.

Legend: B answers, T answer tokens (rows padded on the right).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from solon.config.monitor import MonitorSection
from solon.config.training import RLSection
from solon.evals.checks import Check, check_of
from solon.evals.stopping import parting
from solon.records import Answer, MonitorAnswer
from solon.train.loop import TrainContext
from solon.train.losses import kl_k3
from solon.train.rollouts import Environment, Sample, TokenModels, answers_to, score_tokens
from solon.train.watch import Watch

Gold = Callable[[int, Sequence[Sample]], Sequence[float | None]]
"""(step, answers) -> how good each is by a measure that the reward never used; None: it could not be measured."""


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What the policy is asked, and who says how good its answers are."""

    section: MonitorSection
    environment: Environment
    """With prompts that RL does not ask."""
    benign: frozenset[str]
    """Ids of those of them that nobody has a reason to refuse."""
    gold: Gold
    keep: Callable[[int, list[MonitorAnswer]], None]
    """Called with (step, its answers), before the look at them counts."""
    keep_likeliest: Callable[[int, list[Answer]], None]
    """The same of answers at temperature 0, where the section asks for them."""


@dataclass(frozen=True, kw_only=True)
class _Looker:
    """What a look needs. Its answers are drawn from the same seeds every time, so that looks differ by the policy."""

    monitor: Monitor
    models: TokenModels
    section: RLSection
    context: TrainContext

    def __call__(self, step: int) -> Check:
        samples = self._samples()
        gold = self.monitor.gold(step, samples)
        proxy = self.monitor.environment.reward.absolute(samples).rewards
        scores = score_tokens(self.models, samples, self.section, policy=False)
        kl_B = kl_k3(scores.logp_BT, scores.ref_logp_BT).sum(dim=1)
        answers = [
            MonitorAnswer(
                id=sample.id,
                prompt_id=sample.prompt.id,
                step=step,
                text=sample.answer.text,
                tokens=sample.answer.tokens,
                finished=not sample.answer.truncated,
                gold=good,
                proxy=reward,
                kl=kl,
            )
            for sample, good, reward, kl in zip(samples, gold, proxy, kl_B.tolist(), strict=True)
        ]
        self.monitor.keep(step, answers)
        if self.monitor.section.likeliest:
            self.monitor.keep_likeliest(step, self._likeliest())
        self.context.progress(0, sum(answer.tokens for answer in answers))
        return check_of(step, answers, self.monitor.benign)

    def _samples(self) -> list[Sample]:
        members = range(self.monitor.section.samples_per_prompt)
        prompts = self.monitor.environment.prompts
        asked = {f"monitor-{prompt.id}-{member}": prompt for prompt in prompts for member in members}
        return answers_to(asked, self.monitor.environment, self.section.temperature, seed=self.context.seed)

    def _likeliest(self) -> list[Answer]:
        asked = {f"likeliest-{prompt.id}": prompt for prompt in self.monitor.environment.prompts}
        return [
            Answer(
                id=one.id,
                prompt_id=one.prompt.id,
                text=one.answer.text,
                tokens=one.answer.tokens,
                finished=not one.answer.truncated,
            )
            for one in answers_to(asked, self.monitor.environment, 0.0, seed=self.context.seed)
        ]


def watched(monitor: Monitor, models: TokenModels, section: RLSection, context: TrainContext) -> Watch[Check]:
    """Watches the policy of RL, and ends it as `evals.stopping.parting` says."""
    own = monitor.section
    look = _Looker(monitor=monitor, models=models, section=section, context=context)
    judge = partial(parting, section=own)
    return Watch(
        every=own.every,
        look=look,
        judge=judge,
        record=Check,
        looked=context.looked,
        stops=own.stop,
        group=context.group,
    )
