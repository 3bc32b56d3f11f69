"""OpenRLHF: https://github.com/OpenRLHF/OpenRLHF. It takes TRL's rows by the names of their columns."""

from __future__ import annotations

from solon.export.engine import Engine
from solon.export.models import POLICY, REWARD_MODEL
from solon.export.sets import CUT_OFF, SETS, TIE

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
)
