"""GRPO with outcome supervision: an answer against the others to its prompt, and the KL as a term of the loss.

Source: 2402.03300 equation 3.
"""

from __future__ import annotations

import torch
from torch import Tensor

from solon.config.training import RLSection
from solon.train.advantages import group_normalized
from solon.train.algorithms import UpdateTokens
from solon.train.losses import SumAndWeight, clipped_policy_loss, kl_k3
from solon.train.rollouts import TokenScores

VALUE_MODEL = False


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """Every token of an answer has the answer's group-normalized reward."""
    reward_PG = reward_B.view(-1, section.samples_per_prompt)
    advantage_B = group_normalized(reward_PG, epsilon=section.group_epsilon).flatten()
    advantage_BT = torch.where(scores.loss_mask_BT, advantage_B[:, None], 0.0)
    return advantage_BT, torch.zeros_like(advantage_BT)


def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """Clipped policy loss plus kl_coefficient times k3.

    The gradient of k3 on the policy's own samples is that of KL(reference || policy), the other way round than in the
    reward: one `kl_coefficient` means two penalties here and in `ppo`.
    """
    policy, weight = clipped_policy_loss(tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, clip=section.clip)
    return policy + section.kl_coefficient * kl_k3(tokens.logp_N, tokens.ref_logp_N).sum(), weight
