"""Reinforcement learning from a reward, with a KL penalty to the policy it started from (CAI section 4.2).

One step: draw prompts, sample a group of answers to each, score them, estimate advantages, update. A truncated answer
is scored like any other and counts as ended; `unfinished_penalty` is taken off its reward.

Legend: B rollouts, T answer tokens, N tokens that count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from solon.config.training import RLSection
from solon.records import Rollout
from solon.train.algorithms import Algorithm, UpdateTokens
from solon.train.batches import cut, epoch_order
from solon.train.kl_control import next_kl_coefficient
from solon.train.loop import TrainContext, Trainer, TrainStep, run_steps
from solon.train.losses import SumAndWeight, clip_fraction, importance_weights, kl_k1, kl_k3, sampler_gap
from solon.train.monitor import Monitor, watched
from solon.train.rewards import Earned, Reward, Spread
from solon.train.rollouts import (
    Environment,
    RLModels,
    Sample,
    TokenModels,
    TokenScores,
    draw_prompts,
    sample_rollouts,
    score_tokens,
)

KeepRollouts = Callable[[int, list[Rollout]], None]
"""Called with (step, its rollouts) before the step's checkpoint. After a kill it is called again for the steps since
the last checkpoint, with the same rollouts."""


class RLTrainStep(TrainStep):
    """One step of RL: rollouts, then updates on them. Means are over the rollouts, whose tokens are those counted.

    Loss and gradient norm are means over the updates, the learning rate is that of the last. The loss means little:
    advantages have mean near 0.
    """

    reward_mean: float
    """Without any penalty."""
    reward_std: float
    terms: Annotated[dict[str, Spread], Field(exclude_if=lambda terms: not terms)] = Field(default_factory=dict)
    """The scores that the reward is the weighted sum of, before their weights. Not there where it is one score as it
    is."""
    kl: float
    """KL(policy || reference) in nats per answer: `losses.kl_k3` of its tokens, summed."""
    kl_coefficient: float
    """What a nat of it cost in this step."""
    entropy: float
    """Nats per token: the mean of -log p of the tokens."""
    clip_fraction: float
    """Share of token updates whose gradient the clip removed."""
    sampler_gap: float
    """Between what the sampler and the policy in training say of a token, in nats (`losses.sampler_gap`): the mean
    difference, whatever its sign."""
    sampler_kl: float
    """The same as a KL, in nats per token."""
    answer_tokens: float
    """Mean length."""
    finished: float
    """Share of answers not cut off."""
    distinct: float
    """Different answers divided by answers."""


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """A step's rollouts, ready for updates."""

    samples: list[Sample]
    earned: Earned
    reward_B: Tensor
    """Without any penalty."""
    scores: TokenScores
    advantage_BT: Tensor
    return_BT: Tensor


def reinforce(
    algorithm: Algorithm,
    models: RLModels,
    environment: Environment,
    section: RLSection,
    context: TrainContext,
    keep: KeepRollouts,
    monitor: Monitor | None = None,
) -> list[RLTrainStep]:
    """Trains `models.policy` (and the value model) in place and returns one record per step; `monitor` may end it
    early and go back to the best policy.

    A step depends on its number, the seed and the weights alone: a killed run resumes at the last checkpoint, samples
    the steps since then again, and ends with the same bytes.
    """
    if not environment.prompts:
        raise ValueError("no prompts for reinforcement learning")
    if (models.value_model is not None) != algorithm.VALUE_MODEL:
        raise ValueError(f"value model: needed {algorithm.VALUE_MODEL}, given {models.value_model is not None}")
    trainer = Trainer(models.learning, section, group=context.group, seed=context.seed)
    tokens = TokenModels(models, section, context)
    loop = _Reinforcement(algorithm, tokens, environment, environment.reward, section, context, keep, trainer)

    def step(number: int, before: Sequence[RLTrainStep]) -> RLTrainStep:
        reward = environment.reward.after(before[0].terms) if before else environment.reward
        return replace(loop, section=_in_force(section, before), reward=reward).step(number)

    watch = None if monitor is None else watched(monitor, tokens, section, context)
    return run_steps(trainer, step, steps=section.steps, record=RLTrainStep, context=context, watch=watch)


def _in_force(section: RLSection, before: Sequence[RLTrainStep]) -> RLSection:
    """With the KL coefficient of the step after these."""
    if section.kl_target is None or not before:
        return section
    coefficient = next_kl_coefficient(before[-1].kl_coefficient, before[-1].kl, target=section.kl_target)
    return section.model_copy(update={"kl_coefficient": coefficient})


@dataclass(frozen=True)
class _Reinforcement:
    """The loop's fixed parts, so that its steps are short functions."""

    algorithm: Algorithm
    models: TokenModels
    environment: Environment
    reward: Reward
    section: RLSection
    context: TrainContext
    keep: KeepRollouts
    trainer: Trainer

    def step(self, number: int) -> RLTrainStep:
        section, seed = self.section, self.context.seed
        prompts = draw_prompts(self.environment.prompts, number, section.prompts_per_step, seed=seed)
        samples = sample_rollouts(self.environment, prompts, section, step=number, seed=seed)
        batch = self._batch(samples, self.reward(samples))
        updates, measures = self._update(number, batch)
        record = _measure(number, batch, updates, kl_coefficient=self.section.kl_coefficient, **measures)
        self.keep(number, _records(number, batch))
        self.context.progress(len(samples), record.tokens)
        return record

    def _batch(self, samples: list[Sample], earned: Earned) -> _Batch:
        device = self.models.policy.device
        reward_B = torch.tensor(earned.rewards, dtype=torch.float32, device=device)
        truncated_B = torch.tensor([float(sample.answer.truncated) for sample in samples], device=device)
        scores = score_tokens(self.models, samples, self.section, policy=not self._one_update)
        penalized_B = reward_B - self.section.unfinished_penalty * truncated_B
        advantage_BT, return_BT = self.algorithm.advantages(penalized_B, scores, self.section)
        return _Batch(
            samples=samples,
            earned=earned,
            reward_B=reward_B,
            scores=scores,
            advantage_BT=advantage_BT,
            return_BT=return_BT,
        )

    @property
    def _one_update(self) -> bool:
        """Whether the policy that learns is the one that sampled, throughout: then nobody has to ask it beforehand."""
        rollouts = self.section.prompts_per_step * self.section.samples_per_prompt
        return self.section.epochs == 1 and self.section.batch_size >= rollouts

    def _update(self, number: int, batch: _Batch) -> tuple[list[TrainStep], dict[str, float]]:
        """All updates of one step, and what was measured meanwhile."""
        section, examples = self.section, [sample.example for sample in batch.samples]
        ids = [sample.id for sample in batch.samples]
        updates: list[TrainStep] = []
        measured: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}

        def loss_of(rows: list[int]) -> SumAndWeight:
            tokens, sampler_logp_N = self._tokens(batch, rows)
            with torch.no_grad():
                parts = clip_fraction(tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, clip=section.clip)
                said = torch.stack([tokens.old_logp_N, sampler_logp_N])
                measured[len(updates), *rows] = torch.stack(parts).cpu(), said.cpu()
            return self.algorithm.loss(tokens, section)

        for epoch in range(section.epochs):
            order = epoch_order(len(batch.samples), self.context.seed, "rl", "updates", number, epoch)
            for rows in cut(order, section.batch_size):
                tokens = int(batch.scores.loss_mask_BT[rows].sum())
                own, idle = self.context.group.turns(
                    self.models.policy, rows, lambda row: [examples[row].input_ids], section.tokens_at_once
                )
                updates.append(
                    self.trainer.update(own, loss_of, weight=max(1, tokens), tokens=tokens, ids=ids, idle=idle)
                )
        clipped, said = zip(*self.context.group.merge(measured).values(), strict=True)
        bound, count = torch.stack(clipped).sum(dim=0).tolist()
        gap, kl = sampler_gap(*torch.cat(said, dim=1))
        return updates, {"clip_fraction": bound / max(1.0, count), "sampler_gap": gap, "sampler_kl": kl}

    def _tokens(self, batch: _Batch, rows: list[int]) -> tuple[UpdateTokens, Tensor]:
        """What the loss reads, and what the sampler said."""
        examples = [batch.samples[row].example for row in rows]
        mask_BT, logp_N = batch.scores.loss_mask_BT[rows], self.models.logp(self.models.policy, examples)

        def counted(table_BT: Tensor) -> Tensor:
            return table_BT[rows][mask_BT]

        old_logp_N = logp_N.detach() if self._one_update else counted(batch.scores.logp_BT)
        sampler_logp_N = counted(batch.scores.sampler_logp_BT)
        tokens = UpdateTokens(
            logp_N=logp_N,
            value_N=self.models.values(examples),
            old_logp_N=old_logp_N,
            old_value_N=counted(batch.scores.value_BT),
            ref_logp_N=counted(batch.scores.ref_logp_BT),
            advantage_N=counted(batch.advantage_BT),
            return_N=counted(batch.return_BT),
            weight_N=importance_weights(old_logp_N, sampler_logp_N, cap=self.section.importance_cap),
        )
        return tokens, sampler_logp_N


def _measure(number: int, batch: _Batch, updates: Sequence[TrainStep], **measures: float) -> RLTrainStep:
    answers, scores = [sample.answer for sample in batch.samples], batch.scores
    tokens = int(scores.loss_mask_BT.sum())
    return RLTrainStep(
        step=number,
        loss=sum(update.loss for update in updates) / len(updates),
        grad_norm=sum(update.grad_norm for update in updates) / len(updates),
        learning_rate=updates[-1].learning_rate,
        tokens=tokens,
        reward_mean=float(batch.reward_B.mean()),
        reward_std=float(batch.reward_B.std(correction=0)),
        terms=batch.earned.spreads,
        kl=float(kl_k3(scores.logp_BT, scores.ref_logp_BT).sum()) / len(answers),
        entropy=-float(scores.logp_BT.sum()) / max(1, tokens),
        **measures,
        answer_tokens=tokens / len(answers),
        finished=sum(not answer.truncated for answer in answers) / len(answers),
        distinct=len({answer.answer_ids for answer in answers}) / len(answers),
    )


def _records(number: int, batch: _Batch) -> list[Rollout]:
    scores = batch.scores
    tokens_B = scores.loss_mask_BT.sum(dim=1)
    kl_B = kl_k1(scores.logp_BT, scores.ref_logp_BT).sum(dim=1)
    advantage_B = batch.advantage_BT.sum(dim=1) / tokens_B.clamp(min=1)
    measured = zip(batch.reward_B.tolist(), kl_B.tolist(), advantage_B.tolist(), strict=True)
    return [
        Rollout(
            id=sample.id,
            prompt_id=sample.prompt.id,
            step=number,
            text=sample.answer.text,
            tokens=tokens,
            finished=not sample.answer.truncated,
            preference_score=reward,
            terms=terms,
            kl=kl,
            advantage=advantage,
        )
        for sample, tokens, terms, (reward, kl, advantage) in zip(
            batch.samples, tokens_B.tolist(), batch.earned.by_sample, measured, strict=True
        )
    ]
