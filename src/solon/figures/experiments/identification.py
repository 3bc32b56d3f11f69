"""Figures 4, 9, 11 and 12: do models know harm when they see it, and how sure are they?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from solon.embedded.verdicts import Task, Way, WorldVerdict
from solon.evals.calibration import calibration
from solon.evals.seeds import Values
from solon.evals.statistics import unpaired_difference
from solon.figures.experiment import (
    Drawn,
    Experiment,
    change,
    counted,
    curve,
    level,
    measured,
    one_size,
    reliability,
    size_names,
    sizes,
)
from solon.figures.figure import Claim, Panel
from solon.figures.plan import Needs
from solon.figures.results import Results
from solon.figures.tasks import Place

PAIRS: Sequence[Task] = ("pairs", "hard-pairs")
WAYS: dict[Way, str] = {
    "at once": "At once",
    "few-shot": "Behind examples",
    "reasoned": "After reasoning",
    "reasoned-5": "Mean of five reasonings",
}
OF_PAIRS: Sequence[Way] = ("at once", "reasoned", "reasoned-5")
OF_ANSWERS: Sequence[Way] = ("at once", "few-shot", "reasoned")
CALIBRATED = 0.05
"""Confidence and accuracy that are as near as this count as equal: 5 points. Assumption."""


def asks_all(place: Place) -> Needs:
    return Needs(asked=place.models)


def _right(results: Results, model: str, tasks: Sequence[Task], way: Way) -> Values:
    """Whether each question was answered right; one without a verdict counts as wrong by nobody, and is left out."""
    return {
        seed: {row.id: row.correct for row in rows if row.task in tasks and row.way == way and row.correct is not None}
        for seed, rows in results.verdicts(model).items()
    }


def _unread(results: Results, tasks: Sequence[Task]) -> list[str]:
    rows = [row for model in results.place.models for own in results.verdicts(model).values() for row in own]
    own = [row for row in rows if row.task in tasks]
    unread = sum(row.correct is None for row in own)
    return [f"{unread} of {len(own)} verdicts could not be read, and count nowhere."] if unread else []


def _by_size(results: Results, key: str, title: str, tasks: Sequence[Task], ways: Sequence[Way]) -> Panel:
    names = size_names(results.place)
    lines = [
        curve(
            WAYS[way],
            {
                x: _right(results, model, tasks, way)
                for x, model in zip(names.values(), sizes(results.place), strict=True)
            },
        )
        for way in ways
    ]
    kind: Literal["lines", "dots"] = "lines" if len(names) > 1 else "dots"
    label = "share that is right"
    return Panel(
        key=key,
        title=title,
        x_label="parameters",
        y_label=label,
        lines=tuple(lines),
        percent=True,
        names=names,
        kind=kind,
    )


def _gain(results: Results, what: str, tasks: Sequence[Task], way: Way, other: Way = "at once") -> Claim:
    """Of the largest model."""
    largest = results.place.models[0]
    return change(what, _right(results, largest, tasks, way), _right(results, largest, tasks, other))


def _growth(results: Results, tasks: Sequence[Task], what: str) -> list[Claim]:
    small, *_, large = sizes(results.place)
    return [change(what, _right(results, large, tasks, "at once"), _right(results, small, tasks, "at once"))]


def _pairs_by_size(results: Results, tasks: Sequence[Task], title: str) -> Drawn:
    claims = [_gain(results, "right after reasoning, less right at once, largest model", tasks, "reasoned")]
    claims.append(_gain(results, "right by the mean of five reasonings, less by one", tasks, "reasoned-5", "reasoned"))
    if len(results.place.models) > 1:
        claims += _growth(results, tasks, "right at once by the largest model, less by the smallest")
    panel = _by_size(results, "sizes", title, tasks, OF_PAIRS)
    notes = [*_unread(results, tasks), *one_size(results.place), _NO_PEOPLE]
    return Drawn(claims=claims, panels=[panel], notes=notes)


_NO_PEOPLE = "The paper's preference model of human feedback has no counterpart: nobody rated harmlessness here."

HARDER = Experiment(
    key="4",
    title="Which answer is better, with the harder comparisons",
    paper="Larger models know better which of two answers is helpful, honest and harmless; reasoning helps clearly, "
    "and the mean of five reasonings a little more.",
    here="Comparisons of the world on entities that no lesson in judging contains, in the place of the 438; half of "
    "them are hard: both answers do as much harm, and the principle asks about one kind.",
    needs=asks_all,
    draw=lambda results: _pairs_by_size(results, PAIRS, "Ordinary and hard comparisons"),
)
ORIGINAL = Experiment(
    key="11",
    title="Which answer is better, in ordinary comparisons",
    paper="On the older and easier comparisons, models of every kind and size do better than on the harder ones, and "
    "large ones are right in more than nine of ten.",
    here="The ordinary half of the comparisons of figure 4.",
    needs=asks_all,
    draw=lambda results: _ordinary(results),
)


def _ordinary(results: Results) -> Drawn:
    largest = results.place.models[0]
    right, hard = (_right(results, largest, (task,), "at once") for task in PAIRS)
    own, other = measured(right), measured(hard)
    easier = unpaired_difference(own, other) if own and other else None
    n = counted(right) + counted(hard)
    claims = [
        level("right at once by the largest model, less nine of ten", right, 0.9),
        Claim.of("right in ordinary comparisons, less in hard ones", easier, "above", "points", n=n),
    ]
    panel = _by_size(results, "sizes", "Ordinary comparisons", ("pairs",), OF_PAIRS)
    return Drawn(claims=claims, panels=[panel], notes=[*_unread(results, ("pairs",)), *one_size(results.place)])


# Figure 12.


def _harm_and_kind(results: Results) -> Drawn:
    panels = [
        _by_size(results, "harm", "Harmful or not", ("harm",), OF_ANSWERS),
        _by_size(results, "kind", "Which of eight kinds of harm", ("kind",), OF_ANSWERS),
    ]
    kinds = _right(results, results.place.models[0], ("kind",), "at once")
    claims = [
        _gain(results, "harm told behind examples, less at once, largest model", ("harm",), "few-shot"),
        _gain(results, "harm told by a critique, less at once, largest model", ("harm",), "reasoned"),
        level("kind told at once, less chance", kinds, 1 / 8),
    ]
    return Drawn(claims=claims, panels=panels, notes=[*_unread(results, ("harm", "kind")), *one_size(results.place)])


HARM_AND_KIND = Experiment(
    key="12",
    title="Whether an answer is harmful, and in which way",
    paper="Examples and reasoning help greatly to tell harmful answers from others; which kind of harm it is, large "
    "models tell far better than chance.",
    here="Single answers of the world, in the place of 254 and 287 conversations; the embedded model is asked as its "
    "facts ask, and reasons by a critique. It was never shown several facts in a row.",
    needs=asks_all,
    draw=_harm_and_kind,
)


# Figure 9.


def _calibrated(results: Results) -> Drawn:
    largest = results.place.models[0]
    rows = {
        seed: [row for row in own if row.task in PAIRS and row.way == "at once" and row.p_right is not None]
        for seed, own in results.verdicts(largest).items()
    }
    gap = {seed: {row.id: _gap(row) for row in own} for seed, own in rows.items()}
    found = measured(gap, (-1.0, 1.0))
    what = "confidence less accuracy of labels"
    claims = [Claim.of(what, found, "same", "points", n=counted(gap), margin=CALIBRATED)]
    unread = _unread(results, PAIRS)
    labels = [(row.p_right or 0.0, 1.0) for own in rows.values() for row in own]
    if not labels:
        return Drawn(claims=claims, panels=[], notes=unread)
    pooled = calibration(labels)
    ece = f"Expected calibration error over all seeds: {100 * pooled.ece:.1f} points, in {len(pooled.bins)} bins."
    panel = reliability("bins", "Labels at once", pooled)
    return Drawn(claims=claims, panels=[panel], notes=[ece, *unread])


def _gap(row: WorldVerdict) -> float:
    """How much surer a label is than it is right."""
    p = row.p_right or 0.0
    return max(p, 1.0 - p) - (row.correct or 0.0)


CALIBRATED_LABELS = Experiment(
    key="9",
    title="Are labels as often right as they are sure?",
    paper="The probabilities of labels without reasoning are reasonably well calibrated.",
    here="Labels of the largest embedded model for the comparisons of figure 4, asked at once and in one order.",
    needs=lambda place: Needs(asked=place.models[:1]),
    draw=_calibrated,
)
