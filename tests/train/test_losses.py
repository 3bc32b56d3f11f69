"""Worked arithmetic of the docstrings, parity with independent implementations, and the laws of losses."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from solon.train import losses


def _seeded(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_cross_entropy_as_worked_in_its_docstring() -> None:
    total, weight = losses.cross_entropy(torch.tensor([0.75, 0.25]).log(), torch.tensor([1.0, 2.0]))
    assert float(total) == pytest.approx(3.0603, abs=1e-4)
    assert float(weight) == 3


def test_preference_loss_as_worked_in_its_docstring() -> None:
    total, weight = losses.preference_loss(
        torch.tensor([log(3.0)]), torch.tensor([0.0]), torch.tensor([0.9]), torch.tensor([1.0])
    )
    assert float(total) == pytest.approx(0.3975, abs=1e-4)
    assert float(weight) == 1


def test_dpo_and_ipo_losses_as_worked_in_their_docstrings() -> None:
    ones = torch.ones(1)
    dpo = losses.dpo_loss(2 * ones * log(3.0), 0 * ones, 0.9 * ones, ones, beta=0.5)
    assert (float(dpo[0]), float(dpo[1])) == (pytest.approx(0.3975, abs=1e-4), 1)
    ipo = losses.ipo_loss(3 * ones, ones, 0.75 * ones, ones, beta=0.5)
    assert (float(ipo[0]), float(ipo[1])) == (pytest.approx(3.0), 1)


def test_policy_loss_and_clip_fraction_as_worked_in_their_docstrings() -> None:
    logp, old = torch.full((2,), log(1.5)), torch.zeros(2)
    advantage = torch.tensor([2.0, -1.0])
    total, weight = losses.clipped_policy_loss(logp, old, advantage, clip=0.2)
    assert (float(total), float(weight)) == (pytest.approx(-0.9), 2)
    bound, of = losses.clip_fraction(logp, old, advantage, clip=0.2)
    assert (float(bound), float(of)) == (1, 2)


def test_value_loss_as_worked_in_its_docstring() -> None:
    total, weight = losses.clipped_value_loss(torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([2.0]), clip=0.2)
    assert (float(total), float(weight)) == (pytest.approx(1.62), 1)


def test_importance_weights_and_the_gap_as_worked_in_their_docstrings() -> None:
    logp_N, sampler_logp_N = torch.tensor([0.5, 0.2]).log(), torch.tensor([0.2, 0.5]).log()
    weight_N = losses.importance_weights(logp_N.requires_grad_(), sampler_logp_N, cap=2.0)
    torch.testing.assert_close(weight_N, torch.tensor([2.0, 0.4]))
    assert not weight_N.requires_grad
    gap = losses.sampler_gap(torch.tensor([0.25]).log(), torch.tensor([0.5]).log())
    assert gap == (pytest.approx(log(2)), pytest.approx(0.1931, abs=1e-4))
    assert losses.sampler_gap(sampler_logp_N, sampler_logp_N) == losses.sampler_gap(torch.zeros(0), torch.zeros(0))


def test_weights_of_tokens_weigh_their_part_of_the_policy_loss_and_no_weights_are_ones() -> None:
    x_N, old_N, advantage_N = (_seeded(6, seed=seed) for seed in range(3))
    weight_N = torch.arange(6.0)
    plain, weighted = (
        losses.clipped_policy_loss(x_N, old_N, advantage_N, clip=0.2, weight_N=given)[0]
        for given in (None, torch.ones(6))
    )
    assert torch.equal(plain, weighted)
    each = [losses.clipped_policy_loss(x_N[[n]], old_N[[n]], advantage_N[[n]], clip=0.2)[0] for n in range(6)]
    total, count = losses.clipped_policy_loss(x_N, old_N, advantage_N, clip=0.2, weight_N=weight_N)
    torch.testing.assert_close(total, torch.stack(each) @ weight_N)
    assert int(count) == 6


def test_uncut_weights_make_the_sampler_s_tokens_count_as_the_trainer_s_own() -> None:
    """The expectation of the weighted gradient under the sampler is the policy gradient under the trainer."""
    logits_V = _seeded(7).requires_grad_()
    logp_V, sampler_logp_V, advantage_V = (
        logits_V.log_softmax(-1),
        _seeded(7, seed=1).log_softmax(-1),
        _seeded(7, seed=2),
    )
    weight_V = losses.importance_weights(logp_V, sampler_logp_V, cap=1e9)
    (got,) = torch.autograd.grad(
        (sampler_logp_V.exp() * weight_V * advantage_V * logp_V).sum(), logits_V, retain_graph=True
    )
    (want,) = torch.autograd.grad((logp_V.exp() * advantage_V).sum(), logits_V)
    torch.testing.assert_close(got, want)


def test_divergences_as_worked_in_their_docstrings() -> None:
    p, q = torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.25, 0.75]]).log()
    assert float(losses.kl_k1(p[0, 0], q[0, 0])) == pytest.approx(log(2))
    assert float(losses.kl_k3(p[0, 0], q[0, 0])) == pytest.approx(0.1931, abs=1e-4)


def test_cross_entropy_equals_torch() -> None:
    logits_NV, targets_N = _seeded(15, 7), torch.arange(15) % 7
    weight_N = torch.arange(1.0, 16.0)
    total, weight = losses.cross_entropy(losses.token_logprobs(logits_NV, targets_N), weight_N)
    each = functional.cross_entropy(logits_NV, targets_N, reduction="none")
    torch.testing.assert_close(total, (weight_N * each).sum())
    assert int(weight) == 120


def _token_losses(x_N: Tensor) -> dict[str, losses.SumAndWeight]:
    other, advantage = _seeded(*x_N.shape, seed=1), _seeded(*x_N.shape, seed=2)
    ids = torch.zeros(x_N.shape, dtype=torch.long)
    return {
        "cross_entropy": losses.cross_entropy(
            losses.token_logprobs(torch.stack([x_N, other], dim=-1), ids), torch.ones(len(ids))
        ),
        "policy": losses.clipped_policy_loss(x_N, other, advantage, clip=0.2),
        "value": losses.clipped_value_loss(x_N, other, advantage, clip=0.2),
    }


@pytest.mark.parametrize("name", ["cross_entropy", "policy", "value"])
def test_what_is_not_selected_can_be_anything(name: str) -> None:
    spoilt = _seeded(4, 2)
    spoilt[:, 1] = float("nan")
    spoilt.requires_grad_()
    total, weight = _token_losses(spoilt[torch.tensor([[True, False]] * 4)])[name]
    total.backward()
    assert spoilt.grad is not None
    assert float(weight) == 4
    torch.testing.assert_close(total, _token_losses(_seeded(4, 2)[:, 0])[name][0])
    assert torch.isfinite(spoilt.grad).all() and not spoilt.grad[:, 1].any() and spoilt.grad[:, 0].any()


@pytest.mark.parametrize("name", ["cross_entropy", "policy", "value"])
def test_no_tokens_cost_nothing_and_give_finite_gradients(name: str) -> None:
    x = _seeded(2, 3).requires_grad_()
    total, weight = _token_losses(x[torch.zeros(2, 3, dtype=torch.bool)])[name]
    total.backward()
    assert (float(total.detach()), float(weight)) == (0, 0)
    assert x.grad is not None and (x.grad == 0).all()


def test_swapping_answers_with_their_label_changes_nothing_but_the_margin() -> None:
    a, b = _seeded(6).requires_grad_(), _seeded(6, seed=1).requires_grad_()
    p, w = torch.rand(6, generator=torch.Generator().manual_seed(2)), torch.arange(1.0, 7.0)
    one, weight = losses.preference_loss(a, b, p, w)
    other, _ = losses.preference_loss(b, a, 1 - p, w)
    torch.testing.assert_close(one, other)
    assert float(weight) == 21
    (grad_a,) = torch.autograd.grad(one, a, retain_graph=True)
    (grad_b,) = torch.autograd.grad(one, b)
    torch.testing.assert_close(grad_a, -grad_b)
    assert not torch.allclose(one, losses.preference_loss(b, a, p, w)[0])


DIRECT = {"dpo": losses.dpo_loss, "ipo": losses.ipo_loss}


@pytest.mark.parametrize("name", DIRECT)
def test_losses_of_log_ratios_keep_the_laws_of_preferences(name: str) -> None:
    """Equal policies cost the same whatever the label; a swap changes nothing; the preferred answer rises."""
    loss, a, b, zeros = DIRECT[name], _seeded(6), _seeded(6, seed=1), torch.zeros(6).requires_grad_()
    p, w = torch.tensor([0.0, 0.2, 0.5, 0.6, 0.9, 1.0]), torch.arange(1.0, 7.0)
    equal, weight = loss(zeros, zeros.detach(), p, w, beta=0.3)
    assert float(equal.detach() / weight) == pytest.approx({"dpo": log(2), "ipo": 1 / 0.6**2}[name])
    torch.testing.assert_close(loss(a, b, p, w, beta=0.3), loss(b, a, 1 - p, w, beta=0.3))
    torch.testing.assert_close(loss(a + 5, b + 5, p, w, beta=0.3), loss(a, b, p, w, beta=0.3))
    (grad,) = torch.autograd.grad(equal, zeros)
    assert (-grad.sign()).tolist() == [-1, -1, 0, 1, 1, 1]


def test_losses_of_log_ratios_are_those_of_their_papers_for_hard_labels() -> None:
    chosen, rejected, ones = _seeded(8), _seeded(8, seed=1), torch.ones(8)
    dpo, _ = losses.dpo_loss(chosen, rejected, ones, ones, beta=0.3)
    torch.testing.assert_close(dpo, -functional.logsigmoid(0.3 * (chosen - rejected)).sum())
    ipo, _ = losses.ipo_loss(rejected, chosen, 0 * ones, ones, beta=0.3)
    torch.testing.assert_close(ipo, functional.mse_loss(chosen - rejected, ones / 0.6, reduction="sum"))


@pytest.mark.parametrize(("name", "least"), [("dpo", log(4) / 0.5), ("ipo", 0.6 / (2 * 0.5))])
def test_a_soft_label_says_how_far_the_policy_goes(name: str, least: float) -> None:
    h = torch.tensor([least]).requires_grad_()
    total, _ = DIRECT[name](h, torch.zeros(1), torch.tensor([0.8]), torch.ones(1), beta=0.5)
    (grad,) = torch.autograd.grad(total, h)
    assert float(grad) == pytest.approx(0, abs=1e-6)


def test_a_weight_of_two_is_the_row_twice() -> None:
    a, b, p = _seeded(1), _seeded(1, seed=1), torch.tensor([0.8])
    double = losses.preference_loss(a, b, p, torch.tensor([2.0]))
    twice = losses.preference_loss(a.repeat(2), b.repeat(2), p.repeat(2), torch.ones(2))
    torch.testing.assert_close(double, twice)


def test_the_preference_loss_is_least_at_the_label_s_own_log_odds() -> None:
    p = torch.tensor([0.8])
    at = {
        margin: float(losses.preference_loss(torch.tensor([margin]), torch.zeros(1), p, torch.ones(1))[0])
        for margin in (log(4) - 0.5, log(4), log(4) + 0.5)
    }
    assert min(at, key=at.__getitem__) == log(4)


def test_divergences_are_not_negative_and_vanish_at_equality() -> None:
    logits, ref_logits = _seeded(50, 9), _seeded(50, 9, seed=1)
    ids = torch.arange(50) % 9
    logp, ref_logp = losses.token_logprobs(logits, ids), losses.token_logprobs(ref_logits, ids)
    assert (losses.kl_k3(logp, ref_logp) > 0).all()
    assert (losses.kl_k1(logp, ref_logp) < 0).any()
    for zero in (losses.kl_k3(logp, logp), losses.kl_k1(logp, logp)):
        assert (zero == 0).all()


def test_k1_and_k3_estimate_the_divergence() -> None:
    logp, ref_logp = _seeded(1, 6).log_softmax(-1), _seeded(1, 6, seed=1).log_softmax(-1)
    exact = functional.kl_div(ref_logp, logp, log_target=True, reduction="none").sum(-1)
    for estimate in (losses.kl_k1, losses.kl_k3):  # the expectation under the policy, over the whole vocabulary
        torch.testing.assert_close((logp.exp() * estimate(logp, ref_logp)).sum(-1), exact)


def test_on_policy_k1_in_the_reward_and_k3_in_the_loss_pull_at_opposite_divergences() -> None:
    """Expectations over the whole vocabulary of what a sampled token does."""
    logits_V, ref_logp_V = _seeded(6).requires_grad_(), _seeded(6, seed=1).log_softmax(-1)
    logp_V = logits_V.log_softmax(-1)
    p_V, q_V = logp_V.detach().exp(), ref_logp_V.exp()

    def gradient(value: Tensor) -> Tensor:
        return torch.autograd.grad(value, logits_V, retain_graph=True)[0]

    paid = gradient((p_V * losses.kl_k1(logp_V, ref_logp_V).detach() * logp_V).sum())
    torch.testing.assert_close(paid, gradient((logp_V.exp() * (logp_V - ref_logp_V)).sum()))
    term = gradient((p_V * losses.kl_k3(logp_V, ref_logp_V)).sum())
    torch.testing.assert_close(term, gradient((q_V * (ref_logp_V - logp_V)).sum()))
    assert not torch.allclose(paid, term)


def test_on_policy_the_policy_loss_has_the_policy_gradient() -> None:
    logp = _seeded(5).requires_grad_()
    advantage = _seeded(5, seed=1)
    total, _ = losses.clipped_policy_loss(logp, logp.detach(), advantage, clip=0.2)
    (grad,) = torch.autograd.grad(total, logp)
    torch.testing.assert_close(grad, -advantage)
