"""What trained models answer to held-out prompts, at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solon.evals.seeds import Values
from solon.figures import measures
from solon.figures.arms import DPO, RL
from solon.figures.experiment import curve
from solon.figures.figure import Panel
from solon.figures.results import HARMFUL, Results
from solon.figures.tasks import Arm

EVERY = ("harmful", "mixed", "benign")


def good_answers(results: Results, arm: Arm) -> Values:
    return results.values(arm, results.answers(arm, _model(arm)), measures.good, EVERY)


def _model(arm: Arm) -> str:
    return "dpo" if arm in DPO else "rl"


def final_answers(results: Results, arms: Mapping[str, Arm]) -> Panel:
    """The held-out answers of trained models, and of SL-CAI from which they began."""
    names = {name: float(x) for x, name in enumerate(("SL-CAI", *arms))}
    shown: Mapping[str, tuple[measures.Measure, Sequence[str]]] = {
        "Good": (measures.good, EVERY),
        "Harmless": (measures.harmless, HARMFUL),
        "Helpful": (measures.helped, ("benign",)),
    }
    texts = {"SL-CAI": (RL, results.answers(RL, "sl"))}
    texts |= {name: (arm, results.answers(arm, _model(arm))) for name, arm in arms.items()}
    lines = [
        curve(title, {names[name]: results.values(arm, own, measure, kinds) for name, (arm, own) in texts.items()})
        for title, (measure, kinds) in shown.items()
    ]
    return Panel(
        key="final",
        title="Answers to held-out prompts, at the end",
        x_label="",
        y_label="share of answers",
        lines=tuple(lines),
        kind="dots",
        percent=True,
        names=names,
    )
