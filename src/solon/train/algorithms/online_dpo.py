"""Online DPO: every two answers to a prompt are a comparison, with the preference model's soft label.

Source: 2402.04792, there with two answers and a judge. With one update per step the gradient of the clipped loss is
that of `losses.dpo_loss` on all pairs of a group, up to the factor beta, here `kl_coefficient`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from solon.config.training import RLSection
from solon.train.algorithms import UpdateTokens
from solon.train.losses import SumAndWeight, clipped_policy_loss, kl_k1
from solon.train.rollouts import TokenScores

VALUE_MODEL = False


def advantages(reward_B: Tensor, scores: TokenScores, section: RLSection) -> tuple[Tensor, Tensor]:
    """How much likelier an answer should beat another than beta times their log-ratios say, in the mean over others.

    Example: rewards ln 3 and 0, equal log-ratios: 3/4 where policy and reference say 1/2, advantages (0.25, -0.25).
    """
    log_ratio_BT = torch.where(scores.loss_mask_BT, kl_k1(scores.logp_BT, scores.ref_logp_BT), 0.0)
    size = section.samples_per_prompt
    label_PGG = _beats(reward_B, size)
    said_PGG = _beats(section.kl_coefficient * log_ratio_BT.sum(dim=1), size)
    advantage_B = ((label_PGG - said_PGG).sum(dim=2) / (size - 1)).flatten()
    return torch.where(scores.loss_mask_BT, advantage_B[:, None], 0.0), torch.zeros_like(log_ratio_BT)


def _beats(score_B: Tensor, size: int) -> Tensor:
    """[P, G, G]: the Bradley-Terry probability that the first of two answers to a prompt is better."""
    score_PG = score_B.view(-1, size)
    return (score_PG[:, :, None] - score_PG[:, None, :]).sigmoid()


def loss(tokens: UpdateTokens, section: RLSection) -> SumAndWeight:
    """The clipped policy loss; the advantages hold the policy to its reference."""
    return clipped_policy_loss(
        tokens.logp_N, tokens.old_logp_N, tokens.advantage_N, clip=section.clip, weight_N=tokens.weight_N
    )
