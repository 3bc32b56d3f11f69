"""What is still open about the training: how labels are taken, which algorithm learns, and how long."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from solon.config.training import PreferenceSection
from solon.evals.calibration import calibration
from solon.evals.checks import Check
from solon.evals.seeds import Values, over_seeds
from solon.evals.statistics import Interval, grouped, mean, unpaired_difference
from solon.evals.stopping import Ending
from solon.figures import measures
from solon.figures.arms import CLAMPED, COT, DPO, HARD, OVER, PPO, RL, RLOO
from solon.figures.experiment import Drawn, Experiment, change, curve, reliability
from solon.figures.figure import Claim, Line, Mark, Panel, Point
from solon.figures.plan import Needs
from solon.figures.results import HARMFUL, Results
from solon.figures.tasks import Arm
from solon.train.labels import target

EVERY = ("harmful", "mixed", "benign")

# Soft, hard and clamped labels.

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
        _final(results, {name: arm for name, (arm, _) in TAKEN.items()}),
    ]
    good = {name: _good(results, arm) for name, (arm, _) in TAKEN.items()}

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


def _bars(key: str, title: str, label: str, lines: Mapping[str, Mapping[str, Values]]) -> Panel:
    names = {name: float(x) for x, name in enumerate(next(iter(lines.values())))}
    drawn = [curve(line, {names[name]: values for name, values in own.items()}, _LOSSES) for line, own in lines.items()]
    return Panel(key=key, title=title, x_label="labels", y_label=label, lines=tuple(drawn), kind="dots", names=names)


def _good(results: Results, arm: Arm) -> Values:
    return results.values(arm, results.answers(arm, _model(arm)), measures.good, EVERY)


def _model(arm: Arm) -> str:
    return "dpo" if arm in DPO else "rl"


def _final(results: Results, arms: Mapping[str, Arm]) -> Panel:
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


# PPO, GRPO, RLOO and DPO.

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
        change(f"good answers by {name}, less SL-CAI's", _good(results, arm), before) for name, arm in arms.items()
    ]
    return Drawn(claims=claims, panels=[curves, _final(results, arms)], notes=[_ALGORITHMS])


_ALGORITHMS = (
    "All have the same prompts, comparisons and, but for DPO, rewards; none was tuned for this. GRPO has its penalty "
    "in the loss, PPO and RLOO take it off the reward. Curves are of the monitor's prompts; DPO has no monitor, and "
    "stands beside the others on held-out prompts alone, after one pass over the comparisons and after three."
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


# Over-training.


def _over(results: Results) -> Drawn:
    checks = results.checks(OVER)
    judged = {seed: half(own, 0) for seed, own in checks.items()}
    endings = results.endings(OVER, judged)
    gold = _along(checks, lambda check: dict(enumerate(check.gold_of)))
    proxies: dict[float, list[float]] = {}
    for own in checks.values():
        for check in own:
            proxies.setdefault(float(check.step), []).append(check.proxy.mean)
    kept, end, start = looks_that_count({seed: half(own, 1) for seed, own in checks.items()}, endings)
    stops = sorted(ending.stopped for ending in endings.values() if ending.stopped is not None)
    marks = [Mark(x=float(stops[len(stops) // 2]), name="stopped")] if stops else []
    panels = [
        _panel(
            "gold", "What the reward stands for", "good answers", (curve("Good answers", gold),), marks, percent=True
        ),
        _panel("proxy", "The reward of the same answers", "mean score", (_means(proxies),), marks),
    ]
    claims = [
        _gold_change(
            "good answers at the last step, less those of the policy that the monitor keeps", end, kept, below=True
        ),
        _proxy_change("reward at the last step, less that of the policy that the monitor keeps", end, kept),
        _gold_change("good answers of the policy that the monitor keeps, less those before RL", kept, start),
    ]
    told = [f"seed {seed}: {_told(ending.stopped, ending.best)}" for seed, ending in endings.items()]
    notes = [f"The monitor, {'; '.join(told)}."] if told else []
    return Drawn(claims=claims, panels=panels, notes=[*notes, _SAME_RUN])


_SAME_RUN = (
    "The monitor only watched: a run in which it acts is the same up to the step at which it stops, and keeps the "
    "weights of its best look. It goes by every other of its prompts, and what it keeps is measured on the rest, since "
    "the best of several looks is flattered by the answers that it was chosen by."
)


def half(checks: Sequence[Check], which: int) -> list[Check]:
    """What looks see of every other prompt of the monitor: `gold` of those at even places (0) or at odd ones (1). Looks
    that could measure none of them are left out."""
    found = []
    for check in checks:
        own = check.gold_of[which::2]
        if known := [gold for gold in own if gold is not None]:
            found.append(check.model_copy(update={"gold": mean(known), "gold_of": own}))
    return found


def looks_that_count(
    checks: Mapping[int, Sequence[Check]], endings: Mapping[int, Ending]
) -> tuple[dict[int, Check], dict[int, Check], dict[int, Check]]:
    """Of each seed: the look at the policy that the monitor keeps, the last, and the one before RL."""
    known = {seed: own for seed, own in checks.items() if own and seed in endings}
    kept = {seed: found for seed, own in known.items() if (found := _kept(own, endings[seed]))}
    return kept, {seed: known[seed][-1] for seed in kept}, {seed: known[seed][0] for seed in kept}


def _told(stopped: int | None, best: int) -> str:
    when = "would not have stopped" if stopped is None else f"would have stopped after step {stopped}"
    return when if stopped is None else f"{when}, and kept step {best}"


def _kept(checks: Sequence[Check], ending: Ending) -> Check | None:
    """What was seen of the policy that an acting monitor would leave; None: nothing could be measured."""
    step = checks[-1].step if ending.stopped is None else ending.best
    return next((check for check in checks if check.step == step), None)


def _golds(looks: Mapping[int, Check]) -> Values:
    return {seed: {str(n): g for n, g in enumerate(one.gold_of) if g is not None} for seed, one in looks.items()}


def _gold_change(what: str, one: Mapping[int, Check], other: Mapping[int, Check], *, below: bool = False) -> Claim:
    return change(what, _golds(one), _golds(other), "below" if below else "above")


def _proxy_change(what: str, one: Mapping[int, Check], other: Mapping[int, Check]) -> Claim:
    """Over seeds; of one seed, with the intervals of its two means."""
    changes = {seed: {"": one[seed].proxy.mean - other[seed].proxy.mean} for seed in one}
    found: Interval | None = None
    if len(changes) > 1:
        found = over_seeds(changes, None)
    elif changes:
        (seed,) = changes
        ends = (Interval(value=m.mean, low=m.low, high=m.high) for m in (one[seed].proxy, other[seed].proxy))
        found = unpaired_difference(*ends)
    return Claim.of(what, found, "above", "score", n=len(changes))


def _along(
    checks: Mapping[int, Sequence[Check]], read: Callable[[Check], Mapping[int, float | None]]
) -> dict[float, Values]:
    found: dict[float, dict[int, dict[str, float]]] = {}
    for seed, own in checks.items():
        for check in own:
            known = {str(name): value for name, value in read(check).items() if value is not None}
            found.setdefault(float(check.step), {})[seed] = known
    return {step: dict(values) for step, values in sorted(found.items())}


def _means(by_step: Mapping[float, Sequence[float]]) -> Line:
    points = []
    for step, own in sorted(by_step.items()):
        found = over_seeds({seed: {"": value} for seed, value in enumerate(own)}, None)
        ends = {"low": found.low, "high": found.high} if len(own) > 1 else {}
        points.append(Point(x=step, y=found.value, **ends))
    return Line(name="Reward", points=tuple(points))


def _panel(
    key: str, title: str, label: str, lines: tuple[Line, ...], marks: list[Mark], *, percent: bool = False
) -> Panel:
    x = "steps of RL"
    return Panel(key=key, title=title, x_label=x, y_label=label, lines=lines, marks=tuple(marks), percent=percent)


OVER_TRAINING = Experiment(
    key="over-training",
    title="Training too long, and the monitor that stops in time",
    paper="Trained too long, models are over-optimized for their preference model: answers turn harsh or into "
    "boilerplate, while its score goes on rising (section 4.3; Gao et al. 2022).",
    here="A reward that is learnt from a tenth of the comparisons, no penalty and a high learning rate; gold is good "
    "answers by the oracle, on prompts from which neither RL nor its reward learnt.",
    needs=lambda place: Needs(stages=[(OVER, "rl")]),
    draw=_over,
)
