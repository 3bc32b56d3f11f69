"""An experiment: what it reads, and how its figure is drawn from that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from solon.embedded.card import WEIGHTS, count_parameters
from solon.evals.seeds import SHARE, Ends, Values, over_seeds
from solon.figures.figure import Claim, Figure, Line, Panel, Point, outcome
from solon.figures.plan import Needs
from solon.figures.results import Results
from solon.figures.tasks import Place
from solon.figures.words import sentence
from solon.models.where import model_folder


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
            panels=tuple(drawn.panels),
            notes=(*drawn.notes, *_set_notes(place)),
            seeds=place.seeds,
            dose=place.dose,
            models=tuple(Path(model).name for model in place.models),
            commands=tuple(commands),
        )


def _set_notes(place: Place) -> list[str]:
    one = "One seed: intervals are over prompts alone, and say nothing of another training."
    return [one] if len(place.seeds) == 1 else []


def counted(values: Values) -> int:
    """Prompts of all seeds."""
    return sum(map(len, values.values()))


def point(x: float, values: Values, ends: Ends | None = SHARE) -> Point:
    """A figure over seeds, at a place."""
    found = over_seeds(values, ends)
    return Point(x=x, y=found.value, low=found.low, high=found.high, n=counted(values))


def curve(name: str, by_x: Mapping[float, Values], ends: Ends | None = SHARE) -> Line:
    """One figure after another."""
    return Line(name=name, points=tuple(point(x, values, ends) for x, values in by_x.items()))


def sizes(place: Place) -> dict[str, float]:
    """The parameters of each model, smallest first."""
    found = {model: float(count_parameters(model_folder(model) / WEIGHTS)) for model in place.models}
    return dict(sorted(found.items(), key=lambda one: one[1]))


def size_names(place: Place) -> dict[str, float]:
    """Places of models on an axis, by what they are called there."""
    return {f"{parameters / 1e6:.2g} M": float(at) for at, parameters in enumerate(sizes(place).values())}


def one_size(place: Place) -> list[str]:
    """What is to be said where there is nothing to compare."""
    if len(place.models) > 1:
        return []
    return ["One size of model: nothing is said of sizes."]
