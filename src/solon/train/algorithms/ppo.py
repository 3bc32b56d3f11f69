"""PPO, as in the paper: the KL is paid from the reward, which is score - kl_coefficient * KL (CAI section 4.2)."""

from __future__ import annotations

from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import generalized_advantages, kl_penalized_rewards, whiten
from solon.train.algorithms import UpdateTokens
from solon.train.losses import SumAndWeight, clipped_policy_loss, clipped_value_loss, kl_k1
from solon.train.rollouts import TokenScores

VALUE_MODEL = True


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """Generalized advantage estimation on token rewards, then whitening."""
    mask_BT = scores.loss_mask_BT
    kl_BT = kl_k1(scores.logp_BT, scores.ref_logp_BT)
    reward_BT = kl_penalized_rewards(reward_B, kl_BT, mask_BT, kl_coefficient=section.kl_coefficient)
    advantage_BT, return_BT = generalized_advantages(
        reward_BT, scores.value_BT, mask_BT, discount=section.discount, gae_lambda=section.gae_lambda
    )
    return whiten(advantage_BT, mask_BT), return_BT


def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """Clipped policy loss plus the clipped value loss, each of a model of its own: only learning rates weigh them."""
    policy, weight = clipped_policy_loss(tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, clip=section.clip)
    value, _ = clipped_value_loss(tokens.value_N, tokens.old_value_N, tokens.return_N, clip=section.value_clip)
    return policy + value, weight
