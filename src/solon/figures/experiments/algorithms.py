"""Which algorithm learns: PPO, GRPO, RLOO or DPO."""

from __future__ import annotations

from collections.abc import Mapping

from solon.figures import measures
from solon.figures.arms import DPO, PASSES, PPO, RL, RLOO
from solon.figures.experiment import Drawn, Experiment, change, curve
from solon.figures.experiments.final import EVERY, final_answers, good_answers
from solon.figures.figure import Panel
from solon.figures.plan import Needs
from solon.figures.results import Results
from solon.figures.tasks import Arm

BY_RL: Mapping[str, Arm] = {"GRPO": RL, "PPO": PPO, "RLOO": RLOO}


def _algorithms(results: Results) -> Drawn:
    lines = []
    for name, arm in BY_RL.items():
        looks = results.looks(arm)
        lines.append(
            curve(name, {float(s): results.values(arm, texts, measures.good, EVERY) for s, texts in looks.items()})
        )
    x, y = "steps of RL", "good answers"
    curves = Panel(key="curves", title="Learning curves of RL", x_label=x, y_label=y, lines=tuple(lines), percent=True)
    arms = {**BY_RL, **{arm.title: arm for arm in DPO}}
    before = results.values(RL, results.answers(RL, "sl"), measures.good, EVERY)
    claims = [
        change(f"good answers by {name}, less SL-CAI's", good_answers(results, arm), before)
        for name, arm in arms.items()
    ]
    dpo = {0.0: before} | {float(epochs): good_answers(results, arm) for epochs, arm in zip(PASSES, DPO, strict=True)}
    passes = curves.model_copy(
        update={"key": "dpo", "title": "DPO", "x_label": "passes", "lines": (curve("DPO", dpo),)}
    )
    return Drawn(claims=claims, panels=[curves, passes, final_answers(results, arms)], notes=[_ALGORITHMS])


_ALGORITHMS = (
    "All have the same prompts, comparisons and, but for DPO, rewards; none was tuned for this. GRPO has its penalty "
    "in the loss, PPO and RLOO take it off the reward. Curves of RL are of the monitor's prompts; DPO has no monitor, "
    "and its curve is of two trainings and of held-out prompts: after no pass over the comparisons, one and three."
)

ALGORITHMS = Experiment(
    key="algorithms",
    title="PPO, GRPO, RLOO and DPO",
    paper="The paper has PPO alone, which makes SL-CAI better; of the others it says nothing.",
    here="SL-CAI of the embedded model trained by each, and the oracle: good answers have no fault and every merit "
    "that they may have.",
    needs=lambda place: Needs(
        stages=[*((arm, "answers-rl") for arm in BY_RL.values()), *((arm, "answers-dpo") for arm in DPO)]
    ),
    draw=_algorithms,
)
