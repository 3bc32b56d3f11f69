"""TRL: https://github.com/huggingface/trl."""

from __future__ import annotations

from solon.export.engine import Engine
from solon.export.models import POLICY, REWARD_MODEL
from solon.export.sets import SETS

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
    },
)
