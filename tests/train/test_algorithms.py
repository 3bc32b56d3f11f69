"""Each algorithm by hand: where the KL enters, and what makes a gradient."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest
import torch
from pydantic import ValidationError

from solon.config.training import ALGORITHMS, RLSection
from solon.pipeline.learning import algorithm_of
from solon.train.algorithms import (
    UpdateTokens,
    answer_rewards,
    grpo,
    online_dpo,
    ppo,
    reinforce_pp,
    rloo,
    token_rewards,
)
from solon.train.rollouts import TokenScores

REWARD_B = torch.tensor([0.0, 1.0])

SECTION = RLSection(
    group_epsilon=0.1, kl_coefficient=0.5, samples_per_prompt=2, clip=0.2, value_clip=0.5, gae_lambda=1.0
)
IN_LOSS = SECTION.model_copy(update={"kl_in": "loss"})
ALL = {name: algorithm_of(name) for name in ALGORITHMS}
PENALIZED = sorted(ALL.keys() - {"online_dpo"})
"""Those that `kl_in` is about: the labels of online DPO hold the policy to its reference by themselves."""


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
    named = {"grpo": grpo, "online_dpo": online_dpo, "ppo": ppo, "reinforce_pp": reinforce_pp, "rloo": rloo}
    assert named == ALL
    assert all(callable(one.advantages) and callable(one.loss) for one in ALL.values())
    with pytest.raises(ValidationError, match="'grpo'"):
        RLSection.model_validate({"algorithm": "losses"})


@pytest.mark.parametrize("name", PENALIZED)
def test_an_advantage_has_the_kl_in_it_only_where_the_reward_pays_it(name: str) -> None:
    plain, held, free = (
        ALL[name].advantages(REWARD_B, _scores(ref_logp=ref_logp), section)[0]
        for ref_logp, section in ((0.0, SECTION), (-3.0, SECTION), (-3.0, IN_LOSS))
    )
    assert torch.equal(free, plain) and not torch.allclose(held, plain)


@pytest.mark.parametrize("name", PENALIZED)
def test_a_loss_has_the_kl_in_it_only_where_the_reward_does_not_pay_it(name: str) -> None:
    near, far = _tokens(advantage=2.0), _tokens(advantage=2.0, logp=log(0.5), old_logp=log(0.5), ref_logp=log(0.25))
    assert torch.equal(ALL[name].loss(near, SECTION)[0], ALL[name].loss(far, SECTION)[0])
    total, weight = ALL[name].loss(far, IN_LOSS)
    assert (float(total), float(weight)) == (pytest.approx(-2.0 + 0.5 * (0.5 - 1 + log(2))), 1)


@pytest.mark.parametrize("name", PENALIZED)
def test_an_importance_weight_weighs_the_policy_loss_and_not_the_kl(name: str) -> None:
    far = _tokens(advantage=2.0, logp=log(0.5), old_logp=log(0.5), ref_logp=log(0.25))
    total, weight = ALL[name].loss(replace(far, weight_N=torch.tensor([0.25])), IN_LOSS)
    assert (float(total), float(weight)) == (pytest.approx(-0.5 + 0.5 * (0.5 - 1 + log(2))), 1)


@pytest.mark.parametrize("section", [SECTION, IN_LOSS], ids=["reward", "loss"])
def test_what_the_tokens_of_an_answer_earn_adds_up_to_what_the_answer_earns(section: RLSection) -> None:
    scores = _scores(ref_logp=-3.0)
    torch.testing.assert_close(
        token_rewards(REWARD_B, scores, section).sum(dim=1), answer_rewards(REWARD_B, scores, section)
    )


def test_grpo_gives_every_token_its_answer_s_place_in_the_group() -> None:
    got, _ = grpo.advantages(REWARD_B, _scores(), SECTION)
    torch.testing.assert_close(got, torch.tensor([[-0.5, -0.5], [0.5, 0.0]]) / 0.6)
    # k1 of the first answer is 0 - (-3) = 3, costs 0.5 * 3: rewards (-1.5, 1), deviation 1.25.
    got, _ = grpo.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)
    torch.testing.assert_close(got, torch.tensor([[-1.25, -1.25], [1.25, 0.0]]) / 1.35)


def test_rloo_gives_every_token_its_answer_s_lead_over_the_others() -> None:
    got, return_BT = rloo.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)
    torch.testing.assert_close(got, torch.tensor([[-2.5, -2.5], [2.5, 0.0]]))
    assert not return_BT.any()


def test_reinforce_pp_compares_what_is_still_to_come_with_all_tokens_of_the_step() -> None:
    # To come: -1.5 and 0 of the first answer, whose first token pays 1.5, and 1 of the second; mean -1/6.
    got, return_BT = reinforce_pp.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)
    to_come_N = torch.tensor([-1.5, 0.0, 1.0])
    want_N = (to_come_N - to_come_N.mean()) / to_come_N.std(correction=0)
    torch.testing.assert_close(got[_scores().loss_mask_BT], want_N)
    assert got[1, 1] == 0 and not return_BT.any()


def test_reinforce_pp_does_not_change_with_what_is_added_to_all_rewards_or_multiplies_them() -> None:
    got, _ = reinforce_pp.advantages(REWARD_B, _scores(), SECTION)
    torch.testing.assert_close(reinforce_pp.advantages(3 * REWARD_B + 7, _scores(), SECTION)[0], got)


def test_ppo_pays_the_kl_out_of_the_reward() -> None:
    advantage_BT, return_BT = ppo.advantages(REWARD_B, _scores(ref_logp=-3.0), SECTION)
    # k1 of the first token is 0 - (-3) = 3, costs 0.5 * 3; rewards (-1.5, 0) and (1); with lambda 1 and no values the
    # returns are the sums of rewards to come.
    torch.testing.assert_close(return_BT, torch.tensor([[-1.5, 0.0], [1.0, 0.0]]))
    selected = advantage_BT[_scores().loss_mask_BT]
    assert float(selected.mean()) == pytest.approx(0, abs=1e-6)
    assert float(selected.std(correction=0)) == pytest.approx(1)
    assert selected.argsort().tolist() == [0, 1, 2]


def test_ppo_s_loss_is_the_clipped_loss_plus_the_value_loss() -> None:
    tokens = _tokens(advantage=2.0, value=1.0, old_value=1.0, **{"return": 3.0})
    total, weight = ppo.loss(tokens, SECTION)
    assert (float(total), float(weight)) == (pytest.approx(-2.0 + 0.5 * 4.0), 1)
    # The value may move by `value_clip` alone, whatever clips the ratio: (0 + 0.5 - 3)^2 is the larger error.
    moved = _tokens(advantage=2.0, value=2.0, old_value=0.0, **{"return": 3.0})
    assert float(ppo.loss(moved, SECTION)[0]) == pytest.approx(-2.0 + 0.5 * 2.5**2)
    assert torch.equal(
        ppo.loss(_tokens(advantage=2.0, ref_logp=-3.0), SECTION)[0], ppo.loss(_tokens(advantage=2.0), SECTION)[0]
    )
