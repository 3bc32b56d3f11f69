"""REINFORCE++: PPO without a value model; what stands in for its baseline is the mean over the whole step.

Source: 2501.03262, the variant without groups: a prompt may have one answer. Every token pays its own KL, and its
advantage is normalized over all tokens of all answers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import generalized_advantages, whiten
from solon.train.algorithms import policy_loss, token_rewards
from solon.train.rollouts import TokenScores

VALUE_MODEL = False
loss = policy_loss


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """The rewards from a token on, then whitening."""
    reward_BT, mask_BT = token_rewards(reward_B, scores, section), scores.loss_mask_BT
    nothing_BT = torch.zeros_like(reward_BT)
    to_come_BT, _ = generalized_advantages(reward_BT, nothing_BT, mask_BT, discount=section.discount, gae_lambda=1.0)
    return whiten(to_come_BT, mask_BT), nothing_BT
