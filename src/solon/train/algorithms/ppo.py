"""PPO, as in the paper, where the reward is score - kl_coefficient * KL (CAI section 4.2)."""

from __future__ import annotations

from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import generalized_advantages, whiten
from solon.train.algorithms import UpdateTokens, policy_loss, token_rewards
from solon.train.losses import SumAndWeight, clipped_value_loss
from solon.train.rollouts import TokenScores

VALUE_MODEL = True


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """Generalized advantage estimation on token rewards, then whitening."""
    reward_BT, mask_BT = token_rewards(reward_B, scores, section), scores.loss_mask_BT
    advantage_BT, return_BT = generalized_advantages(
        reward_BT, scores.value_BT, mask_BT, discount=section.discount, gae_lambda=section.gae_lambda
    )
    return whiten(advantage_BT, mask_BT), return_BT


def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """Clipped policy loss plus the clipped value loss, each of a model of its own: only learning rates weigh them."""
    policy, weight = policy_loss(tokens, section)
    value, _ = clipped_value_loss(tokens.value_N, tokens.old_value_N, tokens.return_N, clip=section.value_clip)
    return policy + value, weight
