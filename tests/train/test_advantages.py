"""Worked arithmetic of the docstrings, parity with naive loops, and the laws of advantages."""

from __future__ import annotations

import pytest
import torch

from solon.train.advantages import (
    generalized_advantages,
    group_normalized,
    kl_penalized_rewards,
    kl_penalized_scores,
    leave_one_out,
    whiten,
)

ALL = torch.ones(1, 2, dtype=torch.bool)


def test_rewards_as_worked_in_the_docstring() -> None:
    reward_BT = kl_penalized_rewards(torch.tensor([1.0]), torch.tensor([[0.5, 1.0]]), ALL, kl_coefficient=0.1)
    torch.testing.assert_close(reward_BT, torch.tensor([[-0.05, 0.9]]))


def test_the_score_goes_to_the_last_token_and_an_empty_answer_earns_nothing() -> None:
    mask_BT = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    reward_BT = kl_penalized_rewards(torch.tensor([1.0, 2.0, 5.0]), torch.ones(3, 3), mask_BT, kl_coefficient=0.5)
    torch.testing.assert_close(reward_BT, torch.tensor([[-0.5, 0.5, 0.0], [-0.5, -0.5, 1.5], [0.0, 0.0, 0.0]]))


def test_the_score_of_an_answer_pays_the_kl_of_all_its_tokens_and_of_no_others() -> None:
    mask_BT, kl_BT = torch.tensor([[True, True, False], [False, False, False]]), torch.tensor([[0.5, 1.0, 9.0]] * 2)
    got = kl_penalized_scores(torch.tensor([1.0, 5.0]), kl_BT, mask_BT, kl_coefficient=0.1)
    torch.testing.assert_close(got, torch.tensor([0.85, 5.0]))


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


def test_rounding_of_equal_advantages_is_not_blown_up() -> None:
    equal = torch.full((1, 97), 0.7)
    assert whiten(equal, torch.ones(1, 97, dtype=torch.bool)).abs().max() < 0.01


def test_groups_as_worked_in_the_docstring_and_each_by_itself() -> None:
    reward_PG = torch.tensor([[0.0, 1.0], [100.0, 101.0], [3.0, 3.0]])
    got = group_normalized(reward_PG, epsilon=0.1)
    torch.testing.assert_close(got, torch.tensor([[-0.8333, 0.8333], [-0.8333, 0.8333], [0.0, 0.0]]), atol=1e-4, rtol=0)


REWARD_PG = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))


def test_leave_one_out_as_worked_in_the_docstring_and_each_prompt_by_itself() -> None:
    got = leave_one_out(torch.tensor([[0.0, 1.0, 5.0], [3.0, 3.0, 3.0]]))
    torch.testing.assert_close(got, torch.tensor([[-3.0, -1.5, 4.5], [0.0, 0.0, 0.0]]))


def test_of_two_answers_each_has_the_difference() -> None:
    torch.testing.assert_close(leave_one_out(torch.tensor([[0.25, 2.0]])), torch.tensor([[-1.75, 1.75]]))


def test_what_is_added_to_all_rewards_of_a_prompt_changes_nothing() -> None:
    easier_PG = REWARD_PG + torch.tensor([[5.0], [-3.0], [0.0]])
    torch.testing.assert_close(leave_one_out(easier_PG), leave_one_out(REWARD_PG))
    torch.testing.assert_close(group_normalized(easier_PG, epsilon=0.1), group_normalized(REWARD_PG, epsilon=0.1))


def test_the_baseline_of_an_answer_does_not_depend_on_it() -> None:
    other_PG = REWARD_PG.clone()
    other_PG[:, 2] += 7.0
    baseline_PG, after_PG = REWARD_PG - leave_one_out(REWARD_PG), other_PG - leave_one_out(other_PG)
    torch.testing.assert_close(after_PG[:, 2], baseline_PG[:, 2])
    torch.testing.assert_close(after_PG[:, 0], baseline_PG[:, 0] + 7.0 / 3)


def test_leaving_one_out_is_centering_times_g_over_g_minus_one() -> None:
    centered_PG = REWARD_PG - REWARD_PG.mean(dim=1, keepdim=True)
    torch.testing.assert_close(leave_one_out(REWARD_PG), centered_PG * 4 / 3)
