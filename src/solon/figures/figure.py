"""A figure: what the paper found, what was found here, and whether the two agree, decided by a rule on intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from pydantic import Field

from solon.evals.statistics import Interval
from solon.records import Record

FORMAT: Final = 1
Expected = Literal["above", "below", "same"]
"""Of a figure: above 0, below 0, or no farther from 0 than a margin."""
Held = Literal["agrees", "disagrees", "undecided", "not measured"]
Outcome = Literal["agrees", "agrees in part", "does not agree", "undecided", "not measured"]
Unit = Literal["points", "share", "Elo", "score", "nats"]
"""`points`: a share or a difference of shares, told in percentage points; `share`: told in percent."""


def held(found: Interval, expected: Expected, margin: float = 0.0) -> Held:
    """Whether an interval bears out what is expected of its figure.

    `above` and `below` agree if the whole interval is on that side of 0, and disagree if it is on the other. `same`
    agrees if the whole interval is within the margin of 0, and disagrees if it is outside. Else it is undecided.
    Example: -0.02 to 0.04: `above` is undecided; `same` agrees within 0.05, and within 0.03 is undecided.
    """
    low, high = found.low, found.high
    if expected == "same":
        if -margin <= low and high <= margin:
            return "agrees"
        return "disagrees" if low > margin or high < -margin else "undecided"
    if expected == "below":
        low, high = -high, -low
    return "agrees" if low > 0 else "disagrees" if high < 0 else "undecided"


class Claim(Record):
    """Something that the paper says, as a figure that must be above 0, below 0 or near it."""

    what: str
    """What was measured, as a noun, e.g. `harmful answers after four revisions, less those before`."""
    expected: Expected
    margin: float = 0.0
    """Of `same`."""
    unit: Unit
    found: Interval | None
    """None: of nothing it could be measured."""
    n: int
    """What the interval is over, e.g. prompts of all seeds."""
    held: Held

    @classmethod
    def of(
        cls, what: str, found: Interval | None, expected: Expected, unit: Unit, *, n: int, margin: float = 0.0
    ) -> Claim:
        """With the outcome."""
        outcome: Held = "not measured" if found is None else held(found, expected, margin)
        return cls(what=what, expected=expected, margin=margin, unit=unit, found=found, n=n, held=outcome)


def outcome(claims: Sequence[Claim]) -> Outcome:
    """Of a figure: `agrees` if all of its claims do, `agrees in part` if some do, `does not agree` if none does and one
    disagrees, `not measured` if none was."""
    found = {claim.held for claim in claims}
    if found <= {"not measured"}:
        return "not measured"
    if found == {"agrees"}:
        return "agrees"
    if "agrees" in found:
        return "agrees in part"
    return "does not agree" if "disagrees" in found else "undecided"


class Point(Record):
    """One value with its interval; of `frontier` panels x has one too."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    x_low: float | None = None
    x_high: float | None = None
    n: int | None = None


class Line(Record):
    """Values that belong together."""

    name: str
    points: tuple[Point, ...]


class Mark(Record):
    """A place on the x axis that something happened at."""

    x: float
    name: str


class Panel(Record):
    """One drawing of a figure."""

    key: str
    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    kind: Literal["lines", "dots", "frontier", "reliability"] = "lines"
    percent: bool = False
    """y is a share."""
    names: dict[str, float] = Field(default_factory=dict)
    """Names of places on the x axis, where it has no numbers."""
    marks: tuple[Mark, ...] = ()


class Figure(Record):
    """`figure-KEY.json`: everything that a picture and its sentences are made of."""

    format: Literal[1] = FORMAT
    key: str
    title: str
    paper: str
    """What the paper found, in one sentence."""
    here: str
    """What stands for the paper's models, people and data."""
    ours: str
    """What was found here, in one sentence; made of the claims."""
    outcome: Outcome
    claims: tuple[Claim, ...]
    panels: tuple[Panel, ...]
    notes: tuple[str, ...]
    """What is missing or to be known; what does not reproduce."""
    seeds: tuple[int, ...]
    dose: str
    """The run file that all runs begin from."""
    models: tuple[str, ...]
    """Largest first."""
    commands: tuple[str, ...]
    """That made what it is drawn from, in their order."""
