"""The runs of the set, each named once, so that experiments share them.

Settings stand beside those of the dose's run file (`configs/figures.toml`).
"""

from __future__ import annotations

from pathlib import Path

from solon.figures.tasks import Arm

WATCHED = "rl.monitor.stop=false"
"""Curves are of what the monitor of RL sees: a hundred prompts, every ten steps. It only watches."""
BOTH = "rl.monitor.likeliest=true"
"""Figure 10 has answers at temperature 0, too."""
RL = Arm(name="rl-cai", title="RL-CAI", settings=(WATCHED, BOTH))
"""The whole method: critique and revision, soft labels without reasoning, GRPO."""
COT = Arm(
    name="rl-cai-cot",
    title="RL-CAI with reasons",
    # CAI section 4.1. The clamp is the preference model's, so that the labels are kept as the judge gave them.
    settings=(WATCHED, BOTH, "judge.method=cot", "preference.clamp=0.6"),
    shares=("rl-cai", "helpfulness"),
)
HELPFUL = Arm(
    name="helpful-rl",
    title="helpful-only RL",
    # The paper's baseline knows no constitution: it begins from the pretrained model, as a learning rate below all
    # rounding leaves it, and its reward is learnt from comparisons of helpfulness.
    settings=(WATCHED, BOTH, "sft.learning_rate=1e-12", "preference.objective_weights.harmlessness=0"),
    shares=("rl-cai", "helpful"),
)
HARD = Arm(
    name="hard-labels",
    title="hard labels",
    settings=(WATCHED, "preference.labels=hard"),
    shares=("rl-cai", "helpfulness"),
)
CLAMPED = Arm(
    name="clamped-labels",
    title="clamped labels",
    settings=(WATCHED, "preference.clamp=0.6"),
    shares=("rl-cai", "helpfulness"),
)
PPO = Arm(
    name="ppo",
    title="PPO",
    # The other algorithms take the penalty off the reward, as the paper does; GRPO has it in its loss.
    settings=(WATCHED, "rl.algorithm=ppo", "rl.kl_in=reward"),
    shares=("rl-cai", "pm"),
)
RLOO = Arm(
    name="rloo", title="RLOO", settings=(WATCHED, "rl.algorithm=rloo", "rl.kl_in=reward"), shares=("rl-cai", "pm")
)
PASSES = (1, 3)
DPO = tuple(
    Arm(
        name=f"dpo-{epochs}",
        title=f"DPO-{epochs}",
        # As the shipped run file world-dpo.
        settings=(
            *("alignment=dpo", "dpo.beta=0.3", "dpo.learning_rate=1e-4", "dpo.batch_size=32"),
            f"dpo.epochs={epochs}",
        ),
        shares=("rl-cai", "helpfulness"),
    )
    for epochs in PASSES
)
OVER = Arm(
    name="over-trained",
    title="over-trained RL",
    # As the shipped run file over-optimised: the reward is learnt from a tenth of the comparisons, nothing holds the
    # policy, and it learns fast to the end.
    settings=(
        *("preference.holdout=0.9", "rl.kl_coefficient=0", "rl.learning_rate=3e-4", "rl.final_share=1"),
        *(WATCHED, "rl.monitor.every=5"),
    ),
    shares=("rl-cai", "helpfulness"),
)
DIRECT = Arm(name="direct", title="direct revision", settings=("supervised.critique=false",))
PRINCIPLES = {
    1: ("no-harm",),
    2: ("no-harm", "no-harmful-advice"),
    4: ("no-harm", "no-harmful-advice", "no-wrongdoing", "no-harm-no-preaching"),
}
"""Of the world's constitution, all of which are about harm; with all of them the run is `RL`."""
FEWER = {
    count: Arm(
        name=f"principles-{count}",
        title=f"{count} principles",
        settings=(f"constitution.critique={list(ids)}".replace("'", '"'),),
    )
    for count, ids in PRINCIPLES.items()
}


def of_size(arm: Arm, model: str) -> Arm:
    """The same by another model."""
    return Arm(
        name=f"{arm.name}-by-{Path(model).name}",
        title=arm.title,
        settings=arm.settings,
        model=model,
    )


def every_arm(models: tuple[str, ...]) -> list[Arm]:
    """All that experiments may name."""
    own = [RL, COT, HELPFUL, HARD, CLAMPED, PPO, RLOO, *DPO, OVER, DIRECT, *FEWER.values()]
    return [*own, *(of_size(arm, model) for model in models[1:] for arm in (RL, DIRECT))]
