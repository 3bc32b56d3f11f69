"""Figures 5, 6 and 7: what critique and revision do, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solon.evals.seeds import Values, over_seeds
from solon.evals.statistics import distinct
from solon.figures import measures
from solon.figures.arms import DIRECT, FEWER, RL, of_size
from solon.figures.experiment import Drawn, Experiment, change, curve, one_size, size_names, sizes
from solon.figures.figure import Line, Panel, Point
from solon.figures.plan import Needs
from solon.figures.results import HARMFUL, Kinds, Results
from solon.figures.tasks import Arm, Place

SAME = 0.05
"""Differences of shares that count as none: 5 points. Assumption."""


def by_model(arm: Arm, place: Place) -> dict[str, Arm]:
    """The arm by each model of the set, smallest first."""
    return {model: arm if model == place.models[0] else of_size(arm, model) for model in sizes(place)}


def _measured(results: Results, arm: Arm, measure: measures.Measure, kinds: Kinds) -> list[Values]:
    """After 0, 1, ... revisions."""
    return [results.values(arm, texts, measure, kinds) for texts in results.chains(arm)]


def _along(rounds: Sequence[Values]) -> Mapping[float, Values]:
    return {float(number): values for number, values in enumerate(rounds)}


# Figure 5.


def _more_revisions(results: Results) -> Drawn:
    place = results.place
    shown = (
        ("harmless", "Harmless", measures.harmless, HARMFUL),
        ("helpful", "Help in mixed requests", measures.helped, ("mixed",)),
        ("good", "Both, and no other fault", measures.good, HARMFUL),
    )
    largest = {key: _measured(results, RL, measure, kinds) for key, _, measure, kinds in shown}
    arms = by_model(RL, place)
    names = dict(zip(size_names(place), arms, strict=True))
    sized = [
        curve(size, _along(_measured(results, arms[model], measures.harmless, HARMFUL)))
        for size, model in names.items()
    ]
    lines = [curve(title, _along(largest[key])) for key, title, *_ in shown]
    panels = [_by_revision("kinds", "By what is asked of an answer", lines)]
    panels += [_by_revision("sizes", "Harmless, by size of the model", sized)] if len(sized) > 1 else []
    first, last = {key: rounds[0] for key, rounds in largest.items()}, {key: own[-1] for key, own in largest.items()}
    harmless = largest["harmless"]
    claims = [
        change("harmless answers after the last revision, less those before", last["harmless"], first["harmless"]),
        change("harmless answers after the first revision, less those before", harmless[1], harmless[0]),
        change("answers without any fault after the last revision, less those before", last["good"], first["good"]),
        change(
            "help in mixed requests after the last revision, less that before",
            last["helpful"],
            first["helpful"],
            "below",
        ),
    ]
    return Drawn(claims=claims, panels=panels, notes=one_size(place))


def _by_revision(key: str, title: str, lines: Sequence[Line]) -> Panel:
    x, y = "revisions behind the answer", "share of answers"
    return Panel(key=key, title=title, x_label=x, y_label=y, lines=tuple(lines), percent=True)


MORE_REVISIONS = Experiment(
    key="5",
    title="Harmlessness and helpfulness by the number of revisions",
    paper="With each revision answers become more harmless, and better on the whole, while they become less helpful.",
    here="The embedded model revises its answers to harmful and mixed requests four times; the oracle reads them in "
    "the place of preference models. Help is a tip for the ordinary half of a mixed request, whatever else is said.",
    needs=lambda place: Needs(stages=[(arm, "revisions") for arm in by_model(RL, place).values()]),
    draw=_more_revisions,
)


# Figure 6.


def _more_principles(results: Results) -> Drawn:
    every = results.critique_principles(RL)
    arms = {**FEWER, every: RL}
    last = {float(n): _measured(results, arm, measures.harmless, HARMFUL)[-1] for n, arm in arms.items()}
    variety = tuple(one for n, arm in arms.items() if (one := _variety(results, arm, float(n))))
    fewest, most = min(last), max(last)
    by_number = Panel(
        key="harmless",
        title="Harmless after the last revision",
        x_label="principles that are drawn from",
        y_label="share of answers",
        lines=(curve("Harmless", last),),
        percent=True,
    )
    various = Panel(
        key="variety",
        title="Different revisions",
        x_label="principles that are drawn from",
        y_label="share of different first revisions",
        lines=(Line(name="Different", points=variety),),
        percent=True,
    )
    what = f"harmless answers with {most:g} principles, less those with {fewest:g}"
    claims = [change(what, last[most], last[fewest], "same", margin=SAME)]
    return Drawn(claims=claims, panels=[by_number, various], notes=[_VARIETY])


_VARIETY = (
    "The paper says that more principles make revisions more diverse, and does not measure it; the second panel does: "
    "different words among the first revisions."
)


def _variety(results: Results, arm: Arm, x: float) -> Point | None:
    """How many of the first revisions differ from all others of their seed; a figure of all together, so that its
    interval is over seeds alone. None: there are none."""
    rounds = results.chains(arm)[1]
    shares = {seed: {"": distinct(list(texts.values())).rate} for seed, texts in rounds.items() if texts}
    if not shares:
        return None
    found = over_seeds(shares, None)
    ends = {"low": found.low, "high": found.high} if len(shares) > 1 else {}
    return Point(x=x, y=found.value, n=sum(map(len, rounds.values())), **ends)


MORE_PRINCIPLES = Experiment(
    key="6",
    title="Harmlessness by the number of principles",
    paper="How many principles the constitution has makes no significant difference to harmlessness.",
    here="Critique and revision by the embedded model under 1, 2 and 4 principles about harm and under all of the "
    "world's constitution, of which some are about manners; read by the oracle.",
    needs=lambda place: Needs(stages=[(arm, "revisions") for arm in (*FEWER.values(), RL)]),
    draw=_more_principles,
)


# Figure 7.


def _critiqued_or_direct(results: Results) -> Drawn:
    place, names = results.place, size_names(results.place)
    ways = {"With a critique": by_model(RL, place), "Direct": by_model(DIRECT, place)}
    found = {
        way: {model: _measured(results, arm, measures.harmless, HARMFUL) for model, arm in arms.items()}
        for way, arms in ways.items()
    }
    largest, smallest = place.models[0], next(iter(ways["Direct"]))
    lines = [curve(way, _along(own[largest])) for way, own in found.items()]
    panels = [_by_revision("rounds", "The largest model, by revision", lines)]
    sized = [
        curve(way, {x: own[model][1] for x, model in zip(names.values(), own, strict=True)})
        for way, own in found.items()
    ]
    if len(names) > 1:
        label, y = "parameters", "share harmless after the first revision"
        title = "After the first revision, by size"
        panels.append(
            Panel(
                key="sizes",
                title=title,
                x_label=label,
                y_label=y,
                lines=tuple(sized),
                kind="dots",
                percent=True,
                names=names,
            )
        )

    def gain(model: str) -> tuple[Values, Values]:
        return found["With a critique"][model][1], found["Direct"][model][1]

    what = "harmless answers after one revision with a critique, less those without"
    claims = [change(f"{what}, largest model", *gain(largest), "same", margin=SAME)]
    if smallest != largest:
        claims.append(change(f"{what}, smallest model", *gain(smallest)))
    return Drawn(claims=claims, panels=panels, notes=one_size(place))


CRITIQUED_OR_DIRECT = Experiment(
    key="7",
    title="Revisions with a critique and without",
    paper="With a critique first, small models revise clearly better; with large ones it hardly makes a difference.",
    here="The same chains with critiques and without, by embedded models of several sizes; read by the oracle. The "
    "embedded model was taught direct revision in far fewer lessons than revision behind a critique.",
    needs=lambda place: Needs(
        stages=[(arm, "revisions") for base in (RL, DIRECT) for arm in by_model(base, place).values()]
    ),
    draw=_critiqued_or_direct,
)
