"""Reinforcement learning from a reward model, with a KL penalty to the policy it started from (CAI section 4.2).

One step: draw prompts, sample a group of answers to each, score them, estimate advantages, update. The algorithm is
taken from `ALGORITHMS` by name. An answer that the token limit cut off is scored like any other and counts as ended;
`unfinished_penalty` is taken off its reward.

Legend: B rollouts, T answer tokens, N tokens that count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from solon.config import RLSection
from solon.errors import ConfigError
from solon.lm.protocols import Progress
from solon.records import Record, Rollout
from solon.train.algorithms import ALGORITHMS, Advantages, StepRollouts, UpdateTokens
from solon.train.batches import TokenExample, collate, cut, epoch_order, micro_batches
from solon.train.forward import answer_logits, attention_for
from solon.train.loop import Checkpoints, NoCheckpoints, Trainer, Update, run_steps
from solon.train.losses import SumAndWeight, clip_fraction, kl_k1, token_logprobs
from solon.train.rollouts import (
    Actors,
    Environment,
    Sample,
    TokenScores,
    draw_prompts,
    sample_rollouts,
    score_tokens,
    values_at_answers,
)

KeepRollouts = Callable[[int, list[Rollout]], None]
"""Called with (step, its rollouts) before the step's checkpoint. After a kill it is called again for the steps since
the last checkpoint, with the same rollouts."""


class RLStep(Record):
    """One step of RL. Means are over the step's rollouts, sampled before its updates."""

    step: int
    """From 1."""
    loss: float
    """Mean over the step's updates; its value means little (advantages have mean near 0)."""
    grad_norm: float
    """Mean over the step's updates, before clipping."""
    learning_rate: float
    """Of the last update."""
    tokens: int
    """Sampled tokens."""
    reward_mean: float
    """The reward model's score, without any penalty."""
    reward_std: float
    kl: float
    """Nats per answer: the exact next-token KL(policy || reference) summed over the answer's tokens."""
    entropy: float
    """Nats per token."""
    clip_fraction: float
    """Share of token updates whose gradient the clip removed."""
    answer_tokens: float
    """Mean length."""
    finished: float
    """Share of answers not cut off."""
    distinct: float
    """Different answers divided by answers."""


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """A step's rollouts, ready for updates."""

    examples: list[TokenExample]
    scores: TokenScores
    advantages: Advantages


def reinforce(
    actors: Actors,
    environment: Environment,
    section: RLSection,
    *,
    seed: int,
    pad_id: int,
    dtype: torch.dtype = torch.float32,
    keep: KeepRollouts | None = None,
    checkpoints: Checkpoints | None = None,
    progress: Progress | None = None,
) -> list[RLStep]:
    """Trains `actors.policy` (and the value model) in place and returns one record per step.

    A step depends on its number, the seed and the weights alone: a killed run resumes at the last checkpoint, samples
    the steps since then again, and ends with the same bytes. `progress` is called after each step with (rollouts,
    tokens sampled). Raises `ConfigError` if the algorithm cannot work with this section.
    """
    return _Reinforcement(actors, environment, section, seed, pad_id, dtype).run(
        keep, checkpoints or NoCheckpoints(), progress
    )


class _Reinforcement:
    """The loop's fixed parts, so that its steps are short functions."""

    def __init__(
        self,
        actors: Actors,
        environment: Environment,
        section: RLSection,
        seed: int,
        pad_id: int,
        dtype: torch.dtype,
    ) -> None:
        self.algorithm = ALGORITHMS[section.algorithm]
        if section.samples_per_prompt < self.algorithm.least_samples_per_prompt:
            raise ConfigError(
                f"rl.samples_per_prompt is {section.samples_per_prompt}, but {section.algorithm} compares at least "
                f"{self.algorithm.least_samples_per_prompt} answers to one prompt",
                hint="raise rl.samples_per_prompt, or use rl.algorithm = 'ppo'",
            )
        if not environment.prompts:
            raise ValueError("no prompts for reinforcement learning")
        if self.algorithm.needs_value_model and actors.value_model is None:
            raise ValueError(f"{section.algorithm} needs a value model")
        value_model = actors.value_model if self.algorithm.needs_value_model else None
        self.actors = Actors(policy=actors.policy, reference=actors.reference, value_model=value_model)
        self.environment, self.section = environment, section
        self.seed, self.pad_id, self.dtype = seed, pad_id, dtype
        modules: dict[str, torch.nn.Module] = {"policy": actors.policy}
        if value_model is not None:
            modules["value"] = value_model
        self.trainer = Trainer(modules, section)
        actors.reference.eval()

    def run(self, keep: KeepRollouts | None, checkpoints: Checkpoints, progress: Progress | None) -> list[RLStep]:
        def step(number: int) -> RLStep:
            record, rollouts = self.step(number)
            if keep is not None:
                keep(number, rollouts)
            if progress is not None:
                progress(len(rollouts), record.tokens)
            return record

        return run_steps(self.trainer, step, steps=self.section.steps, record=RLStep, checkpoints=checkpoints)

    def step(self, number: int) -> tuple[RLStep, list[Rollout]]:
        section = self.section
        prompts = draw_prompts(self.environment.prompts, number, section.prompts_per_step, seed=self.seed)
        samples = sample_rollouts(
            self.environment,
            prompts,
            step=number,
            group=section.samples_per_prompt,
            temperature=section.temperature,
            seed=self.seed,
        )
        reward_B = torch.tensor(
            self.environment.reward_model([sample.prompt for sample in samples], [sample.answer for sample in samples]),
            dtype=torch.float32,
            device=self.actors.device,
        )
        examples = [sample.example for sample in samples]
        models = [self.actors.policy, self.actors.reference, *filter(None, [self.actors.value_model])]
        with attention_for(models, max(map(len, examples))):
            batch = self._batch(examples, samples, reward_B)
            updates, clipped = self._update(number, batch)
        record = _measure(number, samples, reward_B, batch.scores, updates, clipped)
        return record, _records(number, samples, reward_B, batch)

    def _batch(self, examples: list[TokenExample], samples: Sequence[Sample], reward_B: Tensor) -> _Batch:
        scores = score_tokens(
            self.actors,
            examples,
            temperature=self.section.temperature,
            pad_id=self.pad_id,
            dtype=self.dtype,
            micro_batch_tokens=self.section.micro_batch_tokens,
        )
        cut_off_B = torch.tensor([not sample.finished for sample in samples], device=reward_B.device)
        rollouts = StepRollouts(
            reward_B=reward_B - self.section.unfinished_penalty * cut_off_B.float(),
            logp_BT=scores.logp_BT,
            ref_logp_BT=scores.ref_logp_BT,
            value_BT=scores.value_BT,
            loss_mask_BT=scores.loss_mask_BT,
        )
        return _Batch(examples=examples, scores=scores, advantages=self.algorithm.advantages(rollouts, self.section))

    def _update(self, number: int, batch: _Batch) -> tuple[list[Update], float]:
        """All updates of one step, and the share of token updates that were clipped."""
        lengths = [len(example) for example in batch.examples]
        updates: list[Update] = []
        clipped: list[SumAndWeight] = []

        def loss_of(rows: list[int]) -> SumAndWeight:
            tokens = self._tokens(batch, rows)
            with torch.no_grad():
                clipped.append(
                    clip_fraction(
                        tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, tokens.loss_mask_N, clip=self.section.clip
                    )
                )
            return self.algorithm.loss(tokens, self.section)

        for epoch in range(self.section.epochs):
            order = epoch_order(len(batch.examples), self.seed, "rl", "updates", number, epoch)
            for rows in cut(order, self.section.batch_size):
                weight = int(batch.scores.loss_mask_BT[rows].sum())
                parts = micro_batches(rows, lengths, self.section.micro_batch_tokens)
                updates.append(self.trainer.update(parts, loss_of, weight=max(1, weight)))
        total = sum(float(part) for part, _ in clipped)
        return updates, total / max(1.0, sum(float(weight) for _, weight in clipped))

    def _tokens(self, batch: _Batch, rows: list[int]) -> UpdateTokens:
        tensors = collate([batch.examples[row] for row in rows], self.pad_id, self.actors.device)
        logits_NV = answer_logits(self.actors.policy, tensors, self.dtype) / self.section.temperature
        logp_N = token_logprobs(logits_NV, tensors.target_ids_N)
        value_N = torch.zeros_like(logp_N)
        if self.actors.value_model is not None:
            value_N = values_at_answers(self.actors.value_model, tensors, self.dtype)
        mask_BT = batch.scores.loss_mask_BT[rows]
        return UpdateTokens(
            logp_N=logp_N,
            value_N=value_N,
            old_logp_N=batch.scores.logp_BT[rows][mask_BT],
            old_value_N=batch.scores.value_BT[rows][mask_BT],
            ref_logp_N=batch.scores.ref_logp_BT[rows][mask_BT],
            advantage_N=batch.advantages.advantage_BT[rows][mask_BT],
            return_N=batch.advantages.return_BT[rows][mask_BT],
        )


def _measure(
    number: int,
    samples: Sequence[Sample],
    reward_B: Tensor,
    scores: TokenScores,
    updates: Sequence[Update],
    clipped: float,
) -> RLStep:
    tokens = int(scores.loss_mask_BT.sum())
    return RLStep(
        step=number,
        loss=sum(update.loss for update in updates) / len(updates),
        grad_norm=sum(update.grad_norm for update in updates) / len(updates),
        learning_rate=updates[-1].learning_rate,
        tokens=tokens,
        reward_mean=float(reward_B.mean()),
        reward_std=float(reward_B.std(correction=0)),
        kl=float(scores.kl_BT.sum()) / len(samples),
        entropy=float(scores.entropy_BT.sum()) / max(1, tokens),
        clip_fraction=clipped,
        answer_tokens=tokens / len(samples),
        finished=sum(sample.finished for sample in samples) / len(samples),
        distinct=len({tuple(sample.answer.answer_ids) for sample in samples}) / len(samples),
    )


def _records(number: int, samples: Sequence[Sample], reward_B: Tensor, batch: _Batch) -> list[Rollout]:
    scores = batch.scores
    tokens_B = scores.loss_mask_BT.sum(dim=1)
    kl_B = kl_k1(scores.logp_BT, scores.ref_logp_BT).sum(dim=1)
    advantage_B = batch.advantages.advantage_BT.sum(dim=1) / tokens_B.clamp(min=1)
    return [
        Rollout(
            id=sample.id,
            prompt_id=sample.prompt.id,
            step=number,
            text=sample.answer.text,
            tokens=tokens,
            finished=sample.finished,
            preference_score=reward,
            kl=kl,
            advantage=advantage,
        )
        for sample, tokens, reward, kl, advantage in zip(
            samples, tokens_B.tolist(), reward_B.tolist(), kl_B.tolist(), advantage_B.tolist(), strict=True
        )
    ]
