"""The page of a town: its public, its constitution, both models, what moved, and the way from an answer to votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from solon.artifacts.atomic import write_atomic
from solon.evals.statistics import Interval
from solon.report import charts
from solon.report.charts import DotsChart, Point, Series
from solon.report.standalone import environment, policy, style_sheet
from solon.town.arena import Judged, Standing
from solon.town.collect import Collected
from solon.town.compare import UNMEASURED, Comparison, Row, points
from solon.town.labels import Taught
from solon.town.public import Public

_PACKAGES = ("solon.town", "solon.report")
QUESTIONS = {"helpfulness": "is more helpful", "harmlessness": "does less harm"}
STANDS = {
    "agreed": "all agree, the standard constitution is silent",
    "split": "groups differ, no constitution names it",
    "both": "both constitutions name it",
    "other": "",
}


@dataclass(frozen=True, kw_only=True)
class Town:
    """Everything that the page tells."""

    public: Public
    found: Collected
    comparison: Comparison
    judged: Judged
    standard: str
    """Name of the standard constitution."""
    commands: Sequence[str]
    answer: str
    """The one that is followed, in words."""
    trace: str
    """What `solon trace` prints of it."""
    links: Sequence[tuple[str, str]]
    """Titles and addresses of the pages beside this one."""


def write_page(town: Town, path: Path) -> None:
    """One file that needs nothing else; pages that it names lie beside it."""
    write_atomic(path, render(town).encode("utf-8", errors="replace"))


def render(town: Town) -> str:
    """The whole page. What people and models say is untrusted, and escaped; there is no script."""
    made, style = environment(*_PACKAGES), style_sheet()
    made.globals.update(charts=charts, points=points, stands=STANDS, rating=rating, who=who)
    return made.get_template("town.html.j2").render(
        town=town,
        headline=headline(town.comparison),
        sentences=sentences(town.comparison),
        chart=chart(town.comparison),
        people=people(town),
        questions={one: f"Which answer {words}?" for one, words in QUESTIONS.items()},
        unmeasured=UNMEASURED,
        style=Markup(style),
        policy=policy("", style),
    )


def people(town: Town) -> list[str]:
    """What everybody says of both models, a sentence for each question."""
    everybody = (one for one in town.judged.rows if one.group is None)
    return [f"Which answer {QUESTIONS[one.objective]}? {_preferred(one)}" for one in everybody]


def _preferred(one: Standing) -> str:
    which = "the public’s" if one.low is not None and one.low > 0 else None
    which = "the standard one’s" if one.high is not None and one.high < 0 else which
    said = f"People prefer {which} answers" if which else "People show no preference"
    return f"{said}: {rating(one)} Elo points for the public’s model."


def rating(one: Standing) -> str:
    """Example: `+80 (+35 to +128)`."""
    low, high = ("open" if end is None else f"{end:+.0f}" for end in (one.low, one.high))
    return f"{one.rating:+.0f} ({low} to {high})"


def who(one: Standing, found: Collected) -> str:
    """Example: `Group 0, mostly harbour`."""
    return "Everybody" if one.group is None else f"Group {one.group}, mostly {found.mostly[int(one.group)]}"


def headline(found: Comparison) -> str:
    """What came out, in a sentence."""
    if found.as_asked:
        return "The model moved where the public agrees, and not where it splits"
    return "The model did not do all that the public asked for"


def sentences(found: Comparison) -> list[str]:
    """One for each fault that the public asked something of, and how far that went on which it splits."""
    return [*map(_sentence, found.of("agreed", "split")), *(_bound(row, found) for row in found.of("split"))]


def _sentence(row: Row) -> str:
    told = points(row.difference, signed=True)
    wanted = "all agree to want none" if row.stand == "agreed" else "groups differ"
    asked = "as asked" if row.as_asked else "not as asked"
    return f"{row.title} ({wanted}): {told} points under the public's constitution; {row.told}: {asked}."


def _bound(row: Row, found: Comparison) -> str:
    """Asked is no move at all, and enough answers show any: its size and the labels tell what made it."""
    most = max(abs(row.difference.low), abs(row.difference.high))
    agreed = [f"{abs(100 * one.difference.value):.1f}" for one in found.of("agreed")]
    beside = f", beside {' and '.join(agreed)} of what all agree on" if agreed else ""
    labels = next((_told(one) for one in found.labels if one.key == row.key), "")
    return (
        f"{row.title}: no constitution names them, so that a move is a side effect of training; "
        f"it is {100 * most:.1f} points at most (95%){beside}.{labels}"
    )


def _told(one: Taught) -> str:
    return (
        f" Of {one.n} judged pairs that differ in it alone, the answer without it has a mean label of "
        f"{one.standard:.2f} in the standard's runs and {one.public:.2f} in the public's; 0.5 teaches nothing."
    )


def chart(found: Comparison) -> DotsChart:
    """The difference of every fault, with its interval."""
    rows = found.of("agreed", "split", "both")
    every = (_series(number, stand, rows) for number, stand in enumerate(("agreed", "split", "both"), start=1))
    return DotsChart(
        key="moved",
        title="Faults of answers: the public's constitution less the standard one",
        x_label="",
        y_label="difference in percentage points",
        series=[one for one in every if one.points],
        names={float(at): row.key for at, row in enumerate(rows)},
    )


def _series(number: int, stand: str, rows: Sequence[Row]) -> Series:
    own = [(at, row) for at, row in enumerate(rows) if row.stand == stand]
    return Series(
        name=STANDS[stand], style=f"s-{number}", points=[_point(at, row.difference, row.n) for at, row in own]
    )


def _point(at: int, one: Interval, n: int) -> Point:
    return Point(x=float(at), y=100 * one.value, low=100 * one.low, high=100 * one.high, n=n)
