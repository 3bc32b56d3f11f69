"""How long RL goes on: the reward rises while what it stands for falls, and the monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from solon.evals.checks import Check
from solon.evals.seeds import Values, over_seeds
from solon.evals.statistics import Interval, mean, unpaired_difference
from solon.evals.stopping import Ending
from solon.figures.arms import OVER
from solon.figures.experiment import Drawn, Experiment, change, curve
from solon.figures.figure import Claim, Line, Mark, Panel, Point
from solon.figures.plan import Needs
from solon.figures.results import Results


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
