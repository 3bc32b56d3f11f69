"""OpenRLHF: https://github.com/OpenRLHF/OpenRLHF. It takes TRL's rows by the names of their columns."""

from __future__ import annotations

from solon.config.run import RunConfig
from solon.export.engine import Engine
from solon.export.models import POLICY, REWARD_MODEL
from solon.export.rewarding import NO_JUDGE, ONE_MODEL, Rewarding, unweighted
from solon.export.sets import CUT_OFF, SETS, TIE

NO_TERM = "it has no such term beside a reward model"


def _rewards(config: RunConfig) -> Rewarding:
    """Of lengths it knows a soft limit: a penalty that grows from there to the token limit."""
    rewards, new = config.rl.rewards, config.sampling.max_new_tokens
    lacks = dict.fromkeys(rewards.of_texts.keys() - {"length"}, NO_TERM)
    least, most = rewards.length_between or (0, 0)
    if least or most >= new:
        lacks["length"] = f"it knows a soft limit below the token limit, {new}, and no other length"
    return unweighted(rewards, {"models": ONE_MODEL, "judge": NO_JUDGE, **lacks})


OPENRLHF = Engine(
    name="openrlhf",
    title="OpenRLHF",
    version="0.11.0",
    sets=SETS,
    trainers={"sft": "train_sft", "preference": "train_rm, train_dpo", "prompts": "train_ppo_ray"},
    without=(CUT_OFF, TIE),  # it ends every answer, and takes every label as sure
    run_files={
        "sft.sh": (POLICY,),
        "reward.sh": (POLICY,),
        "dpo.sh": (POLICY,),
        "rl.sh": (POLICY, REWARD_MODEL),
    },
    rewards=_rewards,
)
