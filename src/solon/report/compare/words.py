"""The words for a comparison of two runs, the same on the console and on the page."""

from __future__ import annotations

from solon.evals.statistics import grouped
from solon.report.compare.differences import Figure, RunComparison
from solon.report.compare.metrics import FINAL, Unit, Value
from solon.report.wording import kind_title, model_title, percent
from solon.text import duration

PARTS = {
    "between": "Either, not both",
    "held-out": "Held out",
    "revisions": "Revised",
    "labels": "The AI's labels",
    "preference model": "The preference model",
    "reinforcement": "Reinforcement",
    "texts": "Texts that are noise",
    "cost": "Time and cost",
}
DIFFERS, CLEARLY = "differs", "differs, all considered"
"""Of a figure whose interval leaves out zero; and of one that does so among all that are compared."""
SAME = "same data"
ONLY_SAME = "All figures that could be compared are of the same data, and the same."
MINUS, NONE = "\u2212", "\u2013"
ONE_SEED = (
    "One run is one seed. Intervals speak of other prompts, not of other runs: the same settings with another seed can "
    "differ by more."
)

_APART = "compared as independent samples"


def sections(found: RunComparison) -> dict[str, list[Figure]]:
    """The figures by heading."""
    return grouped(found.figures, heading)


def heading(figure: Figure) -> str:
    """Example: `Answers to held-out prompts: harmful requests, RL-CAI`."""
    where = ", ".join(filter(None, (figure.kind and kind_title(figure.kind).lower(), _model(figure.model))))
    return f"{PARTS[figure.part]}: {where}" if where else PARTS[figure.part]


def _model(name: str) -> str:
    return "the final model" if name == FINAL else model_title(name)


def shown(value: float | None, unit: Unit) -> str:
    """Example: 0.078 as a share is `7.8%`, 214 seconds are `3 min 34 s`."""
    if value is None:
        return NONE
    if unit == "share":
        text = percent(value)
    elif unit == "seconds":
        text = duration(value)
    else:
        text = f"{value:,.0f}" if unit == "count" else f"{value:.3g}"
    return text.replace("-", MINUS)


def cell(value: Value, unit: Unit) -> str:
    """With its interval. Example: `7.8% (5.5 to 10.5)`."""
    if value.low is None or value.high is None:
        return shown(value.value, unit)
    ends = (shown(end, unit).removesuffix("%") for end in (value.low, value.high))
    return f"{shown(value.value, unit)} ({' to '.join(ends)})"


def difference(figure: Figure) -> str:
    """Second minus first, shares in points. Example: `+1.2 (-0.4 to 2.8)`."""
    if figure.same_data:
        return SAME
    if figure.difference is None:
        return NONE
    sign = "" if figure.difference < 0 else "+"
    if figure.unit == "seconds":
        sign = MINUS if figure.difference < 0 else "+"
        return f"{sign}{duration(abs(figure.difference))}"
    text = sign + shown(figure.difference, figure.unit).removesuffix("%")
    if figure.low is None or figure.high is None:
        return text
    ends = (shown(end, figure.unit).removesuffix("%") for end in (figure.low, figure.high))
    return f"{text} ({' to '.join(ends)})"


def pairs(figure: Figure) -> str:
    """What a difference is of. Example: `38 pairs, 3 prompts of one run alone left out`."""
    if figure.n is None:
        return ""
    count = f"{figure.n:,} pair{'s' * (figure.n != 1)}"
    left = f"{figure.left_out:,} prompt{'s' * (figure.left_out != 1)}"
    return f"{count}, {left} of one run alone left out" if figure.left_out else count


def scale(found: RunComparison) -> float:
    """How far pictures of differences reach on either side of zero: as far as the answers' differences do."""
    answers = (one for one in found.figures if one.part in ("held-out", "revisions") and one.unit == "share")
    ends = [abs(end) for one in answers for end in (one.low, one.high) if end is not None]
    return next((reach for reach in (0.05, 0.1, 0.2, 0.5) if reach >= max(ends, default=1.0)), 1.0)


def along(figure: Figure, scale: float) -> tuple[float, float, float]:
    """A difference and the ends of its interval on a picture from -1 to 1."""
    found = (figure.difference or 0.0, figure.low or 0.0, figure.high or 0.0)
    value, low, high = (min(max(one / scale, -1.0), 1.0) for one in found)
    return value, low, high


def mark(figure: Figure) -> str:
    """What is said of a difference beyond its interval."""
    return (CLEARLY if figure.outside_all else DIFFERS) if figure.outside else ""


def headline(found: RunComparison) -> str:
    if not found.compared:
        same = any(figure.same_data for figure in found.figures)
        return ONLY_SAME if same else "The two runs have no figure in common that has an interval."
    some = f"{found.outside} of {found.compared} figures differ by more than noise"
    return f"{some}." if found.outside else f"None of {found.compared} figures differs by more than noise."


def multiplicity(found: RunComparison) -> str:
    """What so many comparisons mean."""
    return (
        f"With {found.compared} intervals of 95%, about {found.by_chance:.0f} leave out zero by chance alone where "
        f"nothing differs; {found.outside} do. {found.outside_all} do so even when all {found.compared} are to hold "
        f"together (Bonferroni), and are marked “{CLEARLY}”."
    )


def pairing(found: RunComparison) -> str:
    """Whether answers are compared prompt by prompt; nothing where none are compared."""
    held_out = [figure for figure in found.figures if figure.part == "held-out" and not figure.same_data]
    paired = sum(figure.paired for figure in held_out)
    if not held_out:
        return ""
    if paired == len(held_out):
        return "Both runs answered the same held-out prompts, so answers are compared prompt by prompt."
    if not paired:
        return f"The held-out prompts are not the same, so the answers of the two runs are {_APART}."
    return (
        f"{paired} of {len(held_out)} figures of held-out answers are compared prompt by prompt. The others, of other "
        f"prompts or of all answers together, are {_APART}."
    )
