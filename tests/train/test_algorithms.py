"""PPO and GRPO by hand: where the KL enters, and what makes a gradient."""

from __future__ import annotations

from math import log

import pytest
import torch
from pydantic import ValidationError

from solon.config.training import ALGORITHMS, RLSection
from solon.pipeline.learning import algorithm_of
from solon.train.algorithms import UpdateTokens, grpo, ppo
from solon.train.rollouts import TokenScores

REWARD_B = torch.tensor([0.0, 1.0])

SECTION = RLSection(
    group_epsilon=0.1, kl_coefficient=0.5, samples_per_prompt=2, clip=0.2, value_clip=0.5, gae_lambda=1.0
)


def _scores(ref_logp: float = 0.0) -> TokenScores:
    return TokenScores(
        logp_BT=torch.zeros(2, 2),
        ref_logp_BT=torch.tensor([[ref_logp, 0.0], [0.0, 0.0]]),
        sampler_logp_BT=torch.zeros(2, 2),
        value_BT=torch.zeros(2, 2),
        loss_mask_BT=torch.tensor([[True, True], [True, False]]),
    )


def _tokens(**changes: float) -> UpdateTokens:
    fields = {"logp": 0.0, "value": 0.0, "old_logp": 0.0, "old_value": 0.0, "ref_logp": 0.0, "advantage": 0.0}
    fields |= {"return": 0.0} | changes
    return UpdateTokens(**{f"{name}_N": torch.tensor([value]) for name, value in fields.items()})


def test_the_run_file_can_name_exactly_the_algorithms_there_are() -> None:
    found = {name: algorithm_of(name) for name in ALGORITHMS}
    assert (found["grpo"], found["ppo"]) == (grpo, ppo)
    assert all(callable(one.advantages) and callable(one.loss) for one in found.values())
    with pytest.raises(ValidationError, match="'grpo'"):
        RLSection.model_validate({"algorithm": "losses"})


def test_grpo_gives_every_token_its_answer_s_place_in_the_group_and_the_kl_no_say() -> None:
    got, _ = grpo.advantages(REWARD_B, _scores(), SECTION)
    torch.testing.assert_close(got, torch.tensor([[-0.5, -0.5], [0.5, 0.0]]) / 0.6)
    assert torch.equal(got, grpo.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)[0])


def test_ppo_pays_the_kl_out_of_the_reward() -> None:
    advantage_BT, return_BT = ppo.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)
    # k1 of the first token is 0 - (-3) = 3, costs 0.5 * 3; rewards (-1.5, 0) and (1); with lambda 1 and no values the
    # returns are the sums of rewards to come.
    torch.testing.assert_close(return_BT, torch.tensor([[-1.5, 0.0], [1.0, 0.0]]))
    selected = advantage_BT[_scores().loss_mask_BT]
    assert float(selected.mean()) == pytest.approx(0, abs=1e-6)
    assert float(selected.std(correction=0)) == pytest.approx(1)
    assert selected.argsort().tolist() == [0, 1, 2]


def test_grpo_s_loss_is_the_clipped_loss_plus_k3() -> None:
    total, weight = grpo.loss(_tokens(advantage=2.0, logp=log(0.5), old_logp=log(0.5), ref_logp=log(0.25)), SECTION)
    assert float(total) == pytest.approx(-2.0 + 0.5 * (0.5 - 1 + log(2)))
    assert float(weight) == 1


def test_ppo_s_loss_is_the_clipped_loss_plus_the_value_loss_and_the_reference_no_say() -> None:
    loss = ppo.loss
    tokens = _tokens(advantage=2.0, value=1.0, old_value=1.0, **{"return": 3.0})
    total, weight = loss(tokens, SECTION)
    assert (float(total), float(weight)) == (pytest.approx(-2.0 + 0.5 * 4.0), 1)
    # The value may move by `value_clip` alone, whatever clips the ratio: (0 + 0.5 - 3)^2 is the larger error.
    moved = _tokens(advantage=2.0, value=2.0, old_value=0.0, **{"return": 3.0})
    assert float(loss(moved, SECTION)[0]) == pytest.approx(-2.0 + 0.5 * 2.5**2)
    assert torch.equal(
        loss(_tokens(advantage=2.0, ref_logp=-3.0), SECTION)[0], loss(_tokens(advantage=2.0), SECTION)[0]
    )
