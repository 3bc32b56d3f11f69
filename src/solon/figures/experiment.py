"""An experiment: what it reads, and how its figure is drawn from that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.evals.calibration import Calibration
from solon.evals.seeds import SHARE, Ends, Values, over_seeds, paired
from solon.evals.statistics import Interval
from solon.figures.figure import Claim, Expected, Figure, Line, Panel, Point, Unit, outcome
from solon.figures.plan import Needs
from solon.figures.results import Results
from solon.figures.tasks import Place, parameters
from solon.figures.words import sentence


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What an experiment found."""

    claims: Sequence[Claim]
    panels: Sequence[Panel]
    notes: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """One figure of the paper, or one of ours."""

    key: str
    title: str
    paper: str
    """What the paper found, in one sentence."""
    here: str
    """What stands for its models, people and data."""
    needs: Callable[[Place], Needs]
    draw: Callable[[Results], Drawn]

    def figure(self, results: Results, commands: Sequence[str]) -> Figure:
        """Drawn from finished runs."""
        drawn, place = self.draw(results), results.place
        return Figure(
            key=self.key,
            title=self.title,
            paper=self.paper,
            here=self.here,
            ours=sentence(drawn.claims),
            outcome=outcome(drawn.claims),
            claims=tuple(drawn.claims),
            panels=tuple(shown(drawn.panels)),
            notes=(*drawn.notes, *_set_notes(place)),
            seeds=place.seeds,
            dose=place.dose,
            models=tuple(Path(model).name for model in place.models),
            commands=tuple(commands),
        )


def _set_notes(place: Place) -> list[str]:
    one = "One seed: intervals are over prompts alone, and say nothing of another training."
    return [one] if len(place.seeds) == 1 else []


def shown(panels: Sequence[Panel]) -> Iterator[Panel]:
    """Those that have points; of them the lines that have."""
    for panel in panels:
        if lines := tuple(line for line in panel.lines if line.points):
            yield panel.model_copy(update={"lines": lines})


def counted(values: Values) -> int:
    """Prompts of all seeds."""
    return sum(map(len, values.values()))


def measured(values: Values, ends: Ends | None = SHARE) -> Interval | None:
    """The figure over seeds; None: there are no values."""
    return over_seeds(values, ends) if counted(values) else None


def curve(name: str, by_x: Mapping[float, Values], ends: Ends | None = SHARE) -> Line:
    """One figure over seeds after another, without those of no values."""
    found = ((x, measured(values, ends), counted(values)) for x, values in by_x.items())
    return Line(
        name=name, points=tuple(Point(x=x, y=one.value, low=one.low, high=one.high, n=n) for x, one, n in found if one)
    )


def reliability(key: str, title: str, found: Calibration) -> Panel:
    """Confidence against how often it is right."""
    points = [
        Point(x=one.confidence, y=one.accuracy.rate, low=one.accuracy.low, high=one.accuracy.high, n=one.n)
        for one in found.bins
    ]
    return Panel(
        key=key,
        title=title,
        x_label="confidence of the label",
        y_label="share that is right",
        lines=(Line(name="Right", points=tuple(points)),),
        kind="reliability",
        percent=True,
    )


def level(what: str, values: Values, line: float, expected: Expected = "above") -> Claim:
    """A share less a line that does not depend on any answer."""
    one = measured(values)
    found = one and Interval(value=one.value - line, low=one.low - line, high=one.high - line)
    return Claim.of(what, found, expected, "points", n=counted(values))


def change(
    what: str,
    one: Values,
    other: Values,
    expected: Expected = "above",
    unit: Unit = "points",
    *,
    ends: Ends = SHARE,
    margin: float = 0.0,
) -> Claim:
    """One figure less another, over the prompts that both have. `n` counts those."""
    both, span = paired(one, other), ends[1] - ends[0]
    return Claim.of(what, measured(both, (-span, span)), expected, unit, n=counted(both), margin=margin)


def sizes(place: Place) -> dict[str, float]:
    """The parameters of each model, smallest first."""
    return {model: float(parameters(model)) for model in reversed(place.models)}


def size_names(place: Place) -> dict[str, float]:
    """Places of models on an axis, by what they are called there: their size, with a name where two are alike."""
    known = {model: f"{count / 1e6:.2g} M" for model, count in sizes(place).items()}
    alike = Counter(known.values())
    names = [size if alike[size] == 1 else f"{size}, {Path(model).name}" for model, size in known.items()]
    return {name: float(at) for at, name in enumerate(names)}


def one_size(place: Place) -> list[str]:
    """What is to be said where there is nothing to compare."""
    if len(place.models) > 1:
        return []
    return ["One size of model: nothing is said of sizes."]
