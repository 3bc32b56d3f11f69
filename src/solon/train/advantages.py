"""Advantages as pure functions: how much better than expected a rollout, or each of its tokens, turned out.

Legend: B rollouts, T answer tokens (rows padded on the right), P prompts, G rollouts of one prompt.
`loss_mask_BT` is True on an answer's tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor


def kl_penalized_rewards(score_B: Tensor, kl_BT: Tensor, loss_mask_BT: Tensor, *, kl_coefficient: float) -> Tensor:
    """Token rewards whose sum over an answer is score - kl_coefficient * KL. [B], [B, T] -> [B, T].

    Source: RLHF-22 section 4.1 and CAI section 4.2, where the whole answer is rewarded so; each token pays for its own
    log-ratio and the last one also earns the score.

    Example: score 1, token KLs (0.5, 1.0), coefficient 0.1: rewards (-0.05, 0.9), sum 0.85 = 1 - 0.1 * 1.5.
    """
    reward_BT = torch.where(loss_mask_BT, -kl_coefficient * kl_BT, 0.0)
    last_B = loss_mask_BT.sum(dim=1) - 1
    rows_B = torch.arange(len(score_B), device=score_B.device)
    answered_B = last_B >= 0
    reward_BT[rows_B[answered_B], last_B[answered_B]] += score_B[answered_B]
    return reward_BT


def kl_penalized_scores(score_B: Tensor, kl_BT: Tensor, loss_mask_BT: Tensor, *, kl_coefficient: float) -> Tensor:
    """score - kl_coefficient * KL of each whole answer: what the answers to one prompt are compared by. [B].

    Example: score 1, token KLs (0.5, 1.0), coefficient 0.1: 1 - 0.1 * 1.5 = 0.85.
    """
    return score_B - kl_coefficient * torch.where(loss_mask_BT, kl_BT, 0.0).sum(dim=1)


def generalized_advantages(
    reward_BT: Tensor, value_BT: Tensor, loss_mask_BT: Tensor, *, discount: float, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalized advantage estimation: (advantage_BT, return_BT), both 0 outside the mask.

    d_t = r_t + discount * v_{t+1} - v_t and A_t = d_t + discount * lambda * A_{t+1}, with v and A zero after the last
    token; return = A + v. `value_BT[b, t]` is the value of what stands before answer token t. An answer cut off by the
    token limit counts as ended. Source: 1506.02438 equations 11 to 16, as used in 1707.06347 equation 11.

    Example: rewards (0, 1), values (0.5, 0.6), discount 1, lambda 0.5: d = (0.1, 0.4), A = (0.1 + 0.5 * 0.4, 0.4)
    = (0.3, 0.4), returns (0.8, 1.0).
    """
    reward_BT = torch.where(loss_mask_BT, reward_BT, 0.0)
    value_BT = torch.where(loss_mask_BT, value_BT, 0.0)
    advantage_BT = torch.zeros_like(reward_BT)
    next_value_B = next_advantage_B = torch.zeros_like(reward_BT[:, 0])
    for t in reversed(range(reward_BT.shape[1])):
        delta_B = reward_BT[:, t] + discount * next_value_B - value_BT[:, t]
        next_advantage_B = delta_B + discount * gae_lambda * next_advantage_B
        next_value_B = value_BT[:, t]
        advantage_BT[:, t] = next_advantage_B
    return advantage_BT, advantage_BT + value_BT


def whiten(advantage_BT: Tensor, loss_mask_BT: Tensor) -> Tensor:
    """Advantages of the selected tokens shifted and scaled to mean 0 and (population) standard deviation 1; else 0.

    Makes the learning rate independent of the reward's scale. Common in PPO implementations, not in 1707.06347. A
    deviation below 1e-4 is rounding of equal advantages, which is not blown up.

    Example: (1, 3) becomes (-1, 1).
    """
    selected_N = advantage_BT[loss_mask_BT]
    if selected_N.numel() == 0:
        return torch.zeros_like(advantage_BT)
    scaled_BT = (advantage_BT - selected_N.mean()) / selected_N.std(correction=0).clamp(min=1e-4)
    return torch.where(loss_mask_BT, scaled_BT, 0.0)


def group_normalized(reward_PG: Tensor, *, epsilon: float) -> Tensor:
    """Each reward against the others of its prompt: (r - mean) / (std + epsilon), population std. [P, G] -> [P, G].

    Source: GRPO, 2402.03300 section 4.1.2. A large `epsilon` keeps groups of nearly equal rewards from being blown up
    to unit variance, half way to Dr. GRPO (2503.20783), which does not divide at all.

    Example: rewards (0, 1), epsilon 0.1: mean 0.5, std 0.5, advantages (-0.8333, 0.8333).
    """
    centered_PG = reward_PG - reward_PG.mean(dim=1, keepdim=True)
    return centered_PG / (reward_PG.std(dim=1, correction=0, keepdim=True) + epsilon)


def leave_one_out(reward_PG: Tensor) -> Tensor:
    """Each reward minus the mean of the others of its prompt, at least one. [P, G] -> [P, G].

    The baseline of an answer does not depend on that answer, so the gradient is unbiased. It is the reward minus the
    mean of all, times G / (G - 1). Source: RLOO, 2402.14740 section 2.3.

    Example: rewards (0, 1, 5): baselines (3, 2.5, 0.5), advantages (-3, -1.5, 4.5).
    """
    others_PG = (reward_PG.sum(dim=1, keepdim=True) - reward_PG) / (reward_PG.shape[1] - 1)
    return reward_PG - others_PG
