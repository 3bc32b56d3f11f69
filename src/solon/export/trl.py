"""TRL: https://github.com/huggingface/trl."""

from __future__ import annotations

from solon.config.run import RunConfig
from solon.export.engine import Engine
from solon.export.models import POLICY, REWARD_MODEL
from solon.export.rewarding import NO_JUDGE, Rewarding, rewarding
from solon.export.sets import SETS

SEVERAL = "its command takes one reward model; in Python give `reward_funcs` their folders too"


def _rewards(config: RunConfig) -> Rewarding:
    return rewarding(config.rl.rewards, {"models": SEVERAL, "judge": NO_JUDGE})


TRL = Engine(
    name="trl",
    title="TRL",
    version="1.16",
    sets=SETS,
    trainers={
        "sft": "SFTTrainer",
        "preference": "DPOTrainer, RewardTrainer",
        "prompts": "GRPOTrainer, RLOOTrainer",
    },
    run_files={
        "sft.yaml": (POLICY,),
        "reward.yaml": (POLICY,),
        "dpo.yaml": (POLICY,),
        "rl.yaml": (POLICY, REWARD_MODEL),
        "rewards.py": (POLICY, REWARD_MODEL),
    },
    rewards=_rewards,
)
