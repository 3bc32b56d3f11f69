from __future__ import annotations

from itertools import permutations
from math import log

import torch
from torch import Tensor

from solon.config.training import RLSection
from solon.train.algorithms import UpdateTokens, online_dpo
from solon.train.losses import dpo_loss
from solon.train.rollouts import TokenScores

SECTION = RLSection(kl_coefficient=0.5, samples_per_prompt=3)
MASK_BT = torch.tensor([[True, True], [True, False], [True, True]])


def _scores(logp_BT: Tensor, ref_logp_BT: Tensor) -> TokenScores:
    zeros_BT = torch.zeros_like(logp_BT)
    return TokenScores(
        logp_BT=logp_BT,
        sampler_logp_BT=logp_BT,
        ref_logp_BT=ref_logp_BT,
        value_BT=zeros_BT,
        loss_mask_BT=MASK_BT[: len(logp_BT)],
    )


def test_equal_policies_learn_from_the_reward_alone() -> None:
    two = SECTION.model_copy(update={"samples_per_prompt": 2})
    got_BT, return_BT = online_dpo.advantages(torch.tensor([log(3), 0]), _scores(*torch.zeros(2, 2, 2)), two)
    torch.testing.assert_close(got_BT, torch.tensor([[0.25, 0.25], [-0.25, 0.0]]))
    assert not return_BT.any()


def test_nothing_is_left_to_learn_where_log_ratios_are_rewards_over_beta() -> None:
    reward_B = torch.tensor([0.4, -0.2, 1.0])
    logp_BT = torch.stack([reward_B / 0.5 - 2.0, torch.full((3,), 7.0)], dim=1)  # the second answer has one token
    ref_logp_BT = torch.stack([torch.full((3,), -2.0), torch.tensor([7.0, 9.0, 7.0])], dim=1)
    got_BT, _ = online_dpo.advantages(reward_B, _scores(logp_BT, ref_logp_BT), SECTION)
    torch.testing.assert_close(got_BT, torch.zeros(3, 2))


def test_its_gradient_is_that_of_dpo_on_all_pairs_of_the_group() -> None:
    reward_B = torch.tensor([0.4, -0.2, 1.0])
    logp_BT = torch.tensor([[-1.0, -2.0], [-0.5, 0.0], [-3.0, -1.5]]).requires_grad_()
    ref_logp_BT = torch.tensor([[-1.5, -1.0], [-2.5, 0.0], [-2.0, -1.0]])
    ratio_B = ((logp_BT - ref_logp_BT) * MASK_BT).sum(dim=1)
    one, other = torch.tensor([*permutations(range(3), 2)]).T
    label = (reward_B[one] - reward_B[other]).sigmoid()
    total, _ = dpo_loss(ratio_B[one], ratio_B[other], label, torch.full((6,), 0.5), beta=0.5)
    (want,) = torch.autograd.grad(total, logp_BT, retain_graph=True)

    advantage_BT, _ = online_dpo.advantages(reward_B, _scores(logp_BT.detach(), ref_logp_BT), SECTION)
    zeros_N = torch.zeros(5)
    tokens = UpdateTokens(
        logp_N=logp_BT[MASK_BT],
        old_logp_N=logp_BT.detach()[MASK_BT],
        ref_logp_N=ref_logp_BT[MASK_BT],
        advantage_N=advantage_BT[MASK_BT],
        value_N=zeros_N,
        old_value_N=zeros_N,
        return_N=zeros_N,
    )
    (got,) = torch.autograd.grad(online_dpo.loss(tokens, SECTION)[0], logp_BT)
    torch.testing.assert_close(got * 0.5 * 2, want)
