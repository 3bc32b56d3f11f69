"""Worked arithmetic of the docstrings, parity with naive loops, and the laws of advantages."""

from __future__ import annotations

import pytest
import torch

from solon.train.advantages import generalized_advantages, group_normalized, kl_penalized_rewards, whiten

ALL = torch.ones(1, 2, dtype=torch.bool)


def test_rewards_as_worked_in_the_docstring() -> None:
    reward_BT = kl_penalized_rewards(torch.tensor([1.0]), torch.tensor([[0.5, 1.0]]), ALL, kl_coefficient=0.1)
    torch.testing.assert_close(reward_BT, torch.tensor([[-0.05, 0.9]]))


def test_the_score_goes_to_the_last_token_and_an_empty_answer_earns_nothing() -> None:
    mask_BT = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    reward_BT = kl_penalized_rewards(torch.tensor([1.0, 2.0, 5.0]), torch.ones(3, 3), mask_BT, kl_coefficient=0.5)
    torch.testing.assert_close(reward_BT, torch.tensor([[-0.5, 0.5, 0.0], [-0.5, -0.5, 1.5], [0.0, 0.0, 0.0]]))


def test_gae_as_worked_in_the_docstring() -> None:
    advantage_BT, return_BT = generalized_advantages(
        torch.tensor([[0.0, 1.0]]), torch.tensor([[0.5, 0.6]]), ALL, discount=1.0, gae_lambda=0.5
    )
    torch.testing.assert_close(advantage_BT, torch.tensor([[0.3, 0.4]]))
    torch.testing.assert_close(return_BT, torch.tensor([[0.8, 1.0]]))


def test_gae_equals_the_sum_over_later_errors_and_ignores_padding() -> None:
    draw = torch.Generator().manual_seed(0)
    reward, value = torch.randn(1, 5, generator=draw), torch.randn(1, 5, generator=draw)
    discount, lam = 0.9, 0.8
    padded_reward = torch.cat([reward, torch.full((1, 3), 7.0)], dim=1)
    padded_value = torch.cat([value, torch.full((1, 3), 7.0)], dim=1)
    mask = torch.arange(8)[None] < 5
    advantage, returns = generalized_advantages(padded_reward, padded_value, mask, discount=discount, gae_lambda=lam)
    values = [*value[0].tolist(), 0.0]
    errors = [float(reward[0, t]) + discount * values[t + 1] - values[t] for t in range(5)]
    for t in range(5):
        want = sum((discount * lam) ** (later - t) * errors[later] for later in range(t, 5))
        assert float(advantage[0, t]) == pytest.approx(want, abs=1e-5)
    assert (advantage[0, 5:] == 0).all() and (returns[0, 5:] == 0).all()


def test_with_lambda_one_the_return_is_the_discounted_sum_of_rewards_whatever_the_values() -> None:
    reward, mask = torch.tensor([[1.0, 2.0, 4.0]]), torch.ones(1, 3, dtype=torch.bool)
    for value in (torch.zeros(1, 3), torch.tensor([[3.0, -1.0, 2.0]])):
        _, returns = generalized_advantages(reward, value, mask, discount=0.5, gae_lambda=1.0)
        torch.testing.assert_close(returns, torch.tensor([[1 + 1 + 1.0, 2 + 2.0, 4.0]]))


def test_whitening_as_worked_in_the_docstring_and_only_over_what_counts() -> None:
    torch.testing.assert_close(whiten(torch.tensor([[1.0, 3.0]]), ALL), torch.tensor([[-1.0, 1.0]]))
    mask = torch.tensor([[True, True, False]])
    torch.testing.assert_close(whiten(torch.tensor([[1.0, 3.0, 99.0]]), mask), torch.tensor([[-1.0, 1.0, 0.0]]))
    assert torch.isfinite(whiten(torch.ones(1, 2), torch.zeros(1, 2, dtype=torch.bool))).all()


def test_groups_as_worked_in_the_docstring_and_each_by_itself() -> None:
    reward_PG = torch.tensor([[0.0, 1.0], [100.0, 101.0], [3.0, 3.0]])
    got = group_normalized(reward_PG, epsilon=0.1)
    torch.testing.assert_close(got, torch.tensor([[-0.8333, 0.8333], [-0.8333, 0.8333], [0.0, 0.0]]), atol=1e-4, rtol=0)
