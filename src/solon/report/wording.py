"""How the findings are said to people: the same words on the console and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from solon.evals.answers import AnswerTable, ModelTables
from solon.evals.statistics import Difference, Rate
from solon.evals.summary import Summary
from solon.records import PromptKind


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One row of the results."""

    field: str
    """Name in `AnswerTable`."""
    title: str
    meaning: str
    better: Literal["lower", "higher", "neither"]
    kinds: tuple[PromptKind, ...] = ("harmful", "mixed", "benign")


MEASURES = (
    Measure(
        field="harmful",
        title="Harmful",
        meaning="does what a harmful request asks, or volunteers harm",
        better="lower",
    ),
    Measure(
        field="objection",
        title="Objects well",
        meaning="names the harm and offers an alternative",
        better="higher",
        kinds=("harmful", "mixed"),
    ),
    Measure(
        field="helpful",
        title="Helpful",
        meaning="helps with what may be helped with",
        better="higher",
        kinds=("mixed", "benign"),
    ),
    Measure(
        field="evasive",
        title="Evasive",
        meaning="declines without a reason, says nothing to the point, or refuses needlessly",
        better="lower",
    ),
    Measure(field="preachy", title="Preachy", meaning="lectures", better="lower"),
    Measure(field="rude", title="Rude", meaning="is unkind to the person asking", better="lower"),
    Measure(
        field="malformed",
        title="Malformed",
        meaning="is not well formed; what it says is partly unknown",
        better="lower",
    ),
    Measure(field="distinct", title="Distinct", meaning="different answers per answer given", better="neither"),
    Measure(
        field="refusal_phrases",
        title="Refusal phrases",
        meaning="contains a stock phrase of refusal; a count of words, not a judgement",
        better="neither",
    ),
    Measure(field="finished", title="Finished", meaning="not cut off by the length limit", better="neither"),
)

GRADED_ONLY = ("refusal_phrases", "finished")
"""Left out of the headline tables where a grader knows more than a word count does."""

KIND_TITLES: dict[PromptKind, str] = {
    "harmful": "Harmful requests",
    "mixed": "Mixed requests",
    "benign": "Benign requests",
}
KIND_MEANINGS: dict[PromptKind, str] = {
    "harmful": "The person asks for help with something that hurts someone.",
    "mixed": "One message asks for something fine and for something harmful.",
    "benign": "The person asks for ordinary help.",
}

MODEL_TITLES = {"base": "Before", "sl": "After revising itself", "rl": "After reinforcement"}
MODEL_SHORT = {"base": "base", "sl": "SL-CAI", "rl": "RL-CAI"}
MODEL_MEANINGS = {
    "base": "The model the run started from.",
    "sl": "Finetuned on answers that the model criticised and rewrote itself.",
    "rl": "Trained by reinforcement against its own judgement of answers.",
}


def percent(share: float, places: int = 1) -> str:
    """Example: 0.078 is "7.8%"."""
    return f"{100 * share:.{places}f}%"


def interval(rate: Rate) -> str:
    """Example: "6.1 to 9.8"."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"


def of_hundred(share: float) -> str:
    """A share as people say it. Examples: 0.784 is "78 of 100", 0.003 "fewer than 1 of 100", 0 "none of 100".

    As with few, it never says all of what is not: 0.997 is "more than 99 of 100".
    """
    if share == 0:
        return "none of 100"
    if share < 0.005:
        return "fewer than 1 of 100"
    if 0.995 <= share < 1:
        return "more than 99 of 100"
    return f"{max(round(100 * share), 1)} of 100"


def signed(share: float, plus: bool = False) -> str:
    """Percentage points with a real minus sign. Examples: -0.052 is "\u22125.2", 0.052 "5.2", with `plus` "+5.2"."""
    text = f"{100 * share:+.1f}" if plus else f"{100 * share:.1f}"
    return text.replace("-", "\u2212")


def points(difference: Difference) -> str:
    """Example: "+5.2 points (2.1 to 8.4)"."""
    middle = signed(difference.difference, plus=True)
    return f"{middle} points ({signed(difference.low)} to {signed(difference.high)})"


def present(summary: Summary) -> list[tuple[str, ModelTables]]:
    """The models that the run has, in their order."""
    models = summary.models
    named = (("base", models.base), ("sl", models.sl), ("rl", models.rl))
    return [(name, tables) for name, tables in named if tables is not None]


def measures_of(kind: PromptKind, summary: Summary) -> list[Measure]:
    """The rows of one kind's table: what was measured, and nothing that says less than another row."""
    tables = [table for _, model in present(summary) if (table := model.of(kind)) is not None]
    graded = summary.grader is not None
    return [
        measure
        for measure in MEASURES
        if kind in measure.kinds
        and not (graded and measure.field in GRADED_ONLY)
        and any(rate_of(table, measure.field) is not None for table in tables)
    ]


def rate_of(table: AnswerTable, field: str) -> Rate | None:
    """A measure's rate in a table."""
    value = getattr(table, field)
    return value if isinstance(value, Rate) else None


def headlines(summary: Summary) -> list[str]:
    """The run's result, one sentence for harm and one for help, as measured and without praise."""
    models, said = present(summary), []
    for sentence, shares in (
        ("{} harmful requests were complied with before, {} after.", _rates(models, "harmful", "harmful")),
        ("{} ordinary requests were helped with before, {} after.", _rates(models, "benign", "helpful")),
    ):
        if len(shares) > 1:
            said.append(sentence.format(of_hundred(shares[0]).capitalize(), _after(shares[-1])))
    return said or ["What can be counted about this run's answers."]


def _after(share: float) -> str:
    return of_hundred(share).removesuffix(" of 100")


def _rates(models: Sequence[tuple[str, ModelTables]], kind: PromptKind, field: str) -> list[float]:
    tables = [table for _, model in models if (table := model.of(kind)) is not None]
    return [rate.rate for table in tables if (rate := rate_of(table, field)) is not None]
