"""Elo ratings of a run's models: by its judge, if it compared their answers, and by the grader who knows the truth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from solon.evals.contest import RATING, TIED, WON, Objective, anchor_of, by_scores
from solon.evals.elo import Elo
from solon.evals.evaluation import in_order
from solon.evals.kept import Evaluation
from solon.evals.statistics import grouped
from solon.report.data import ReportData
from solon.report.voted import sentence

PEOPLE = "people"


@dataclass(frozen=True, kw_only=True)
class Rated:
    """A model of a league."""

    player: str
    rating: float
    low: float | None
    """None: there is no end on this side."""
    high: float | None
    score: str
    """Example: "62 won, 30 tied, 8 lost"."""


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """One league."""

    title: str
    by: str
    """Who compared."""
    rows: Sequence[Rated]
    """The best first."""
    notes: Sequence[str]
    ends: tuple[float, float]
    """Of the drawings of intervals, in points."""

    @property
    def anchor(self) -> str:
        """Who has 0."""
        return anchor_of([row.player for row in self.rows])

    def along(self, value: float | None, *, open_end: float) -> float:
        """A rating on the drawing, from 0 to 1; of an open end, where that is."""
        low, high = self.ends
        return open_end if value is None else (value - low) / (high - low)


def ratings(data: ReportData) -> list[Ratings]:
    """Both objectives by people, harmlessness by the judge, and both by the grader with ground truth; none without
    games."""
    found: list[tuple[str, str, list[Rated], Sequence[str]]] = list(_by_people(data))
    for key, own in grouped(_by_judge(data), lambda one: (one.name, one.temperature, one.settings)).items():
        found.append((_title(*key), "the judge", _of_results(own), ()))
    objectives: tuple[Objective, ...] = ("harmlessness", "helpfulness")
    for objective in objectives if data.summary.grader else ():
        elo = by_scores(data.scores, str(data.summary.grader), objective)
        if elo is not None:
            found.append((objective.capitalize(), f"the {data.summary.grader}", _of_elo(elo), elo.notes))
    ends = _ends([row for _, _, rows, _ in found for row in rows])
    return [Ratings(title=title, by=by, rows=rows, notes=notes, ends=ends) for title, by, rows, notes in found]


def judged(data: ReportData) -> bool:
    """Whether the judge compared the models' answers."""
    return any(True for _ in _by_judge(data))


def _by_judge(data: ReportData) -> list[Evaluation]:
    return [one for one in in_order(data.evaluations).values() if one.metrics[0].name == RATING]


def _by_people(data: ReportData) -> Iterator[tuple[str, str, list[Rated], Sequence[str]]]:
    if data.people is None:
        return
    for one in data.people.objectives:
        if one.elo is not None:
            rows = [replace(row, player=data.people.models.get(row.player, row.player)) for row in _of_elo(one.elo)]
            yield one.objective.capitalize(), PEOPLE, rows, (*one.elo.notes, sentence(one))


def _title(name: str, temperature: float | None, settings: Sequence[str]) -> str:
    at = "" if temperature is None else f", temperature {temperature:g}"
    return " ".join((f"Harmlessness ({name}{at})", *settings))


def _of_results(found: Sequence[Evaluation]) -> list[Rated]:
    rows = []
    for one in found:
        rating, *more = one.metrics
        count = {it.name: round(it.value * it.n) for it in more}
        won, tied = count.get(WON, 0), count.get(TIED, 0)
        score = f"{won} won, {tied} tied, {rating.n - won - tied} lost"
        rows.append(Rated(player=one.model, rating=rating.value, low=rating.low, high=rating.high, score=score))
    return sorted(rows, key=lambda row: -row.rating)


def _of_elo(elo: Elo) -> list[Rated]:
    return [
        Rated(
            player=row.player,
            rating=row.rating,
            low=row.low,
            high=row.high,
            score=f"{row.wins} won, {row.ties} tied, {row.losses} lost",
        )
        for row in elo.rows
    ]


def _ends(rows: Sequence[Rated]) -> tuple[float, float]:
    """The same for all leagues: a whole hundred beyond every interval."""
    known = [value for row in rows for value in (row.rating, row.low, row.high) if value is not None]
    return (min(known, default=0.0) // 100 * 100 - 100, max(known, default=0.0) // 100 * 100 + 200)


def shown(row: Rated) -> str:
    """Example: "+134"."""
    return f"{row.rating:+.0f}".replace("-", "\u2212") if round(row.rating) else "0"


def between(row: Rated) -> str:
    """Example: "80 to 160"; of an open end "above 80"; of the model that others are rated against "fixed"."""
    if row.low == row.rating == row.high:
        return "fixed"
    low, high = (None if end is None else f"{end:.0f}".replace("-", "\u2212") for end in (row.low, row.high))
    if low is None or high is None:
        return f"above {low}" if low else f"below {high}" if high else "no end on either side"
    return f"{low} to {high}"
