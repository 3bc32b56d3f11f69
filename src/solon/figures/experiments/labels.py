"""How labels are taken: soft, hard or clamped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import exp, log

from solon.config.training import PreferenceSection
from solon.evals.calibration import calibration, credit
from solon.evals.seeds import Values
from solon.evals.statistics import grouped
from solon.figures.arms import CLAMPED, COT, HARD, RL
from solon.figures.experiment import Drawn, Experiment, change, curve, reliability
from solon.figures.experiments.final import final_answers, good_answers
from solon.figures.figure import Claim, Panel
from solon.figures.plan import Needs
from solon.figures.results import Results
from solon.figures.tasks import Arm
from solon.train.labels import target

TAKEN: Mapping[str, tuple[Arm, PreferenceSection]] = {
    "soft": (RL, PreferenceSection()),
    "hard": (HARD, PreferenceSection(labels="hard")),
    "clamped": (CLAMPED, PreferenceSection(clamp=0.6)),
}


def _labels(results: Results) -> Drawn:
    losses = {name: _loss(results, RL, section) for name, (_, section) in TAKEN.items()}
    reasoned = {name: _loss(results, COT, section) for name, (_, section) in TAKEN.items()}
    panels = [
        _bars(
            "loss", "Loss of labels against the truth", "cross-entropy, nats", {"At once": losses, "Reasoned": reasoned}
        ),
        _reliability(results, RL, "bins", "Soft labels at once, where one answer is better"),
        _reliability(results, COT, "reasoned", "The same after reasoning"),
        _sureness(results),
        final_answers(results, {name: arm for name, (arm, _) in TAKEN.items()}),
    ]
    good = {name: good_answers(results, arm) for name, (arm, _) in TAKEN.items()}

    def claim(what: str, one: Values, other: Values) -> Claim:
        return change(what, one, other, unit="nats", ends=_LOSSES)

    claims = [
        claim("loss of hard labels at once, less that of soft ones", losses["hard"], losses["soft"]),
        claim("loss of soft labels after reasoning, less that of clamped ones", reasoned["soft"], reasoned["clamped"]),
        change("good answers of RL-CAI with soft labels, less those with hard ones", good["soft"], good["hard"]),
    ]
    return Drawn(claims=claims, panels=[panel for panel in panels if panel], notes=[_LOSS_NOTE])


_SUREST = 0.99
_LOSSES = (0.0, -log(1 - _SUREST))
_LOSS_NOTE = (
    "Losses are of all pairs of SL-CAI's answers; where neither answer is better, which is often, the truth is one "
    f"half. A label counts as no surer than {_SUREST:g}, or one wrong hard label would be infinite. Good answers have "
    "no fault and every merit that they may have."
)


@dataclass(frozen=True)
class _Label:
    """A label, the probability that `a` is the better answer, and the truth: 1, 0, or one half if they are equal."""

    prompt: str
    p_a: float
    truth: float


_TRUTHS = {"a": 1.0, "b": 0.0, "tie": 0.5}


def _kept_labels(results: Results, arm: Arm, seed: int) -> list[_Label]:
    """All that could be read, as the judge gave them."""
    labels = results.labels(arm, seed)
    known = labels.better(labels.rows)
    return [
        _Label(row.prompt_id, row.p_a_preferred, _TRUTHS[truth])
        for row in labels.rows
        if row.p_a_preferred is not None and (truth := known.get(row.id)) is not None
    ]


def _loss(results: Results, arm: Arm, section: PreferenceSection) -> Values:
    """Cross-entropy of labels, as they are taken, with the truth: the mean over the pairs of each prompt."""
    found: dict[int, dict[str, float]] = {}
    for seed in results.seeds:
        by_prompt = grouped(_kept_labels(results, arm, seed), lambda one: one.prompt)
        found[seed] = {
            name: sum(label_loss(one.p_a, one.truth, section) for one in own) / len(own)
            for name, own in by_prompt.items()
        }
    return found


def label_loss(p_a: float, truth: float, section: PreferenceSection) -> float:
    """Of a label as a section takes it. Example: 0.9 where a is better: 0.105; clamped to 0.6: 0.511; hard: 0.010, and
    2.308 where neither is better."""
    p = min(max(target(p_a, section), 1 - _SUREST), _SUREST)
    return -truth * log(p) - (1 - truth) * log(1 - p)


def _reliability(results: Results, arm: Arm, key: str, title: str) -> Panel | None:
    """Of pairs in which one answer is better; None if there is none."""
    rows = [
        (one.p_a, one.truth, (seed, one.prompt))
        for seed in results.seeds
        for one in _kept_labels(results, arm, seed)
        if one.truth != 0.5
    ]
    if not rows:
        return None
    return reliability(
        key, title, calibration([(p, truth) for p, truth, _ in rows], prompts=[name for *_, name in rows])
    )


def _sureness(results: Results) -> Panel:
    """How much surer labels are than they are right, as they are taken, and the preference models that learn them, on
    comparisons that these did not learn; of pairs in which one answer is better."""
    names = {name: float(x) for x, name in enumerate(TAKEN)}
    labels = {names[name]: _gaps(results, arm, partial(_taken, section)) for name, (arm, section) in TAKEN.items()}
    models = {names[name]: _gaps(results, arm, _by_preference_model) for name, (arm, _) in TAKEN.items()}
    return Panel(
        key="sureness",
        title="Confidence, less how often it is right",
        x_label="labels",
        y_label="confidence less accuracy",
        lines=(curve("Labels", labels, (-1.0, 1.0)), curve("Preference model", models, (-1.0, 1.0))),
        kind="dots",
        names=names,
    )


_Sure = Callable[[Results, Arm, int], Mapping[str, float]]
"""The probability that `a` is better, by the id of the comparison."""


def _taken(section: PreferenceSection, results: Results, arm: Arm, seed: int) -> dict[str, float]:
    rows = results.labels(arm, seed).rows
    return {row.id: target(row.p_a_preferred, section) for row in rows if row.p_a_preferred is not None}


def _by_preference_model(results: Results, arm: Arm, seed: int) -> dict[str, float]:
    return {name: 1 / (1 + exp(-margin)) for name, margin in results.margins(arm, seed).items()}


def _gaps(results: Results, arm: Arm, sure: _Sure) -> Values:
    """The mean over the pairs of each prompt."""
    found: dict[int, dict[str, float]] = {}
    for seed in results.seeds:
        labels, known = results.labels(arm, seed), sure(results, arm, seed)
        better = labels.better(labels.rows)
        of = [(row.prompt_id, known[row.id], _TRUTHS[better[row.id]]) for row in labels.rows if row.id in known]
        by_prompt = grouped([one for one in of if one[2] != 0.5], lambda one: one[0])
        found[seed] = {
            name: sum(max(p, 1 - p) - credit(p - 0.5, truth) for _, p, truth in own) / len(own)
            for name, own in by_prompt.items()
        }
    return found


def _bars(key: str, title: str, label: str, lines: Mapping[str, Mapping[str, Values]]) -> Panel:
    names = {name: float(x) for x, name in enumerate(next(iter(lines.values())))}
    drawn = [curve(line, {names[name]: values for name, values in own.items()}, _LOSSES) for line, own in lines.items()]
    return Panel(key=key, title=title, x_label="labels", y_label=label, lines=tuple(drawn), kind="dots", names=names)


LABELS = Experiment(
    key="labels",
    title="Soft, hard and clamped labels",
    paper="Without reasoning soft labels are better than hard ones, of which the results are much worse; labels after "
    "reasoning are too sure, and clamping them to 40 to 60% helps (section 4.3).",
    here="The labels of the embedded model for its own pairs against the truth, taken in three ways, and RL-CAI with "
    "each of them in its preference model.",
    needs=lambda place: Needs(
        stages=[*((arm, "answers-rl") for arm, _ in TAKEN.values()), (COT, "comparisons")],
    ),
    draw=_labels,
)
