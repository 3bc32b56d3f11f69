"""RL algorithms: a file each, named as the run file names it, with two functions.

`advantages(reward_B, scores, section)` gives (advantage, return), both [B, T], constants, and 0 outside the mask. The
return is what the value model should have said; zeros without one. `reward_B` is what answers earned, any penalty
for being cut off included, the KL penalty not.
`loss(tokens, section)` gives a sum over the tokens of a micro-batch and their number.

What they share stands here: where the KL is paid (`kl_in`), and the clipped loss. `section.kl_coefficient` is the
coefficient in force. What was left out, for all: no entropy bonus (RLHF-22 appendix B.1 has none), no reward
normalization, no early stopping on KL. Legend: B rollouts (the G of one prompt stand together), T answer tokens, N
tokens that count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import kl_penalized_rewards, kl_penalized_scores
from solon.train.losses import SumAndWeight, clipped_policy_loss, kl_k1, kl_k3
from solon.train.rollouts import TokenScores


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
    weight_N: Tensor | None = None
    """Of the policy loss, a constant (`losses.importance_weights`); None: all 1, as where sampler and trainer agree."""


class Algorithm(Protocol):
    """One way to turn rewards into a gradient. Its module is one."""

    VALUE_MODEL: bool
    """Whether it needs a value model."""

    def advantages(self, reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]: ...

    def loss(self, tokens: UpdateTokens, section: RLSection) -> SumAndWeight: ...


def answer_rewards(reward_B: Tensor, scores: TokenScores, section: RLSection) -> Tensor:
    """[B]: what whole answers earn, for algorithms that compare them."""
    kl_BT, coefficient = kl_k1(scores.logp_BT, scores.ref_logp_BT), _paid_from_reward(section)
    return kl_penalized_scores(reward_B, kl_BT, scores.loss_mask_BT, kl_coefficient=coefficient)


def token_rewards(reward_B: Tensor, scores: TokenScores, section: RLSection) -> Tensor:
    """[B, T]: what each token earns; over an answer that has any, their sum is its `answer_rewards`."""
    kl_BT, coefficient = kl_k1(scores.logp_BT, scores.ref_logp_BT), _paid_from_reward(section)
    return kl_penalized_rewards(reward_B, kl_BT, scores.loss_mask_BT, kl_coefficient=coefficient)


def _paid_from_reward(section: RLSection) -> float:
    return section.kl_coefficient if section.kl_in == "reward" else 0.0


def same_for_all_tokens(advantage_B: Tensor, scores: TokenScores) -> tuple[Tensor, Tensor]:
    """What `advantages` gives where all tokens of an answer share its advantage."""
    advantage_BT = torch.where(scores.loss_mask_BT, advantage_B[:, None], 0.0)
    return advantage_BT, torch.zeros_like(advantage_BT)


def policy_loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """The clipped loss, on-policy with REINFORCE's gradient; with the KL in the loss, plus kl_coefficient times k3.

    On the policy's own samples the gradient of k3 is that of KL(reference || policy). A KL paid from the reward is
    KL(policy || reference), so the two places penalize differently.
    """
    policy, weight = clipped_policy_loss(
        tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, clip=section.clip, weight_N=tokens.weight_N
    )
    if section.kl_in == "reward":
        return policy, weight
    return policy + section.kl_coefficient * kl_k3(tokens.logp_N, tokens.ref_logp_N).sum(), weight
