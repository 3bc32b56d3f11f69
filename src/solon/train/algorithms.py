"""RL algorithms by name: an advantage function and a loss function, nothing else.

What was left out, for both: no entropy bonus (RLHF-22 appendix B.1 has none), no reward normalisation, no early
stopping on KL. Legend: B rollouts (the G of one prompt stand together), T answer tokens, N tokens that count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from solon.config import RLSection
from solon.train.advantages import generalised_advantages, group_normalised, kl_penalised_rewards, whiten
from solon.train.losses import SumAndWeight, clipped_policy_loss, clipped_value_loss, kl_k1, kl_k3


@dataclass(frozen=True, kw_only=True)
class StepRollouts:
    """What advantages are made of; all constants."""

    reward_B: Tensor
    """The preference model's score, any penalty for being cut off included, the KL penalty not."""
    logp_BT: Tensor
    ref_logp_BT: Tensor
    value_BT: Tensor
    """Before each answer token; zeros for an algorithm without a value model."""
    loss_mask_BT: Tensor


@dataclass(frozen=True, kw_only=True)
class Advantages:
    """Both [B, T] and 0 outside the mask."""

    advantage_BT: Tensor
    return_BT: Tensor
    """What the value model should have said; zeros without one."""


@dataclass(frozen=True, kw_only=True)
class UpdateTokens:
    """The tokens of one micro-batch, each [N]; `logp_N` and `value_N` carry gradients."""

    logp_N: Tensor
    value_N: Tensor
    old_logp_N: Tensor
    old_value_N: Tensor
    ref_logp_N: Tensor
    advantage_N: Tensor
    return_N: Tensor

    @property
    def loss_mask_N(self) -> Tensor:
        """All of them count."""
        return torch.ones_like(self.logp_N, dtype=torch.bool)


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """One way to turn rewards into a gradient."""

    advantages: Callable[[StepRollouts, RLSection], Advantages]
    loss: Callable[[UpdateTokens, RLSection], SumAndWeight]
    needs_value_model: bool
    least_samples_per_prompt: int


def ppo_advantages(rollouts: StepRollouts, section: RLSection) -> Advantages:
    """PPO: KL enters the reward, as in the paper (reward = score - coefficient * KL); then GAE, then whitening."""
    kl_BT = kl_k1(rollouts.logp_BT, rollouts.ref_logp_BT)
    mask_BT = rollouts.loss_mask_BT
    reward_BT = kl_penalised_rewards(rollouts.reward_B, kl_BT, mask_BT, kl_coefficient=section.kl_coefficient)
    advantage_BT, return_BT = generalised_advantages(
        reward_BT, rollouts.value_BT, mask_BT, discount=section.discount, gae_lambda=section.gae_lambda
    )
    return Advantages(advantage_BT=whiten(advantage_BT, mask_BT), return_BT=return_BT)


def ppo_loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """Clipped policy loss plus value_coefficient times the clipped value loss."""
    policy, weight = clipped_policy_loss(
        tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, tokens.loss_mask_N, clip=section.clip
    )
    value, _ = clipped_value_loss(
        tokens.value_N, tokens.old_value_N, tokens.return_N, tokens.loss_mask_N, clip=section.clip
    )
    return policy + section.value_coefficient * value, weight


def grpo_advantages(rollouts: StepRollouts, section: RLSection) -> Advantages:
    """GRPO with outcome supervision: every token of an answer has the answer's group-normalised reward."""
    reward_PG = rollouts.reward_B.view(-1, section.samples_per_prompt)
    advantage_B = group_normalised(reward_PG, epsilon=section.group_epsilon).flatten()
    advantage_BT = torch.where(rollouts.loss_mask_BT, advantage_B[:, None], 0.0)
    return Advantages(advantage_BT=advantage_BT, return_BT=torch.zeros_like(advantage_BT))


def grpo_loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """Clipped policy loss plus kl_coefficient times k3: KL is a term of the loss (2402.03300 equation 3)."""
    policy, weight = clipped_policy_loss(
        tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, tokens.loss_mask_N, clip=section.clip
    )
    return policy + section.kl_coefficient * kl_k3(tokens.logp_N, tokens.ref_logp_N).sum(), weight


ALGORITHMS: dict[str, Algorithm] = {
    "ppo": Algorithm(advantages=ppo_advantages, loss=ppo_loss, needs_value_model=True, least_samples_per_prompt=1),
    "grpo": Algorithm(advantages=grpo_advantages, loss=grpo_loss, needs_value_model=False, least_samples_per_prompt=2),
}
