"""Elo ratings of a run's models: by its judge, if it compared their answers, and by the grader who knows the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from solon.evals.contest import KINDS, Contest, Objective, by_scores
from solon.evals.elo import Elo, Player
from solon.report.data import ReportData


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """One league."""

    title: str
    by: str
    """Who compared."""
    elo: Elo
    ends: tuple[float, float]
    """Of the drawings of intervals, in points."""

    def along(self, value: float | None, *, open_end: float) -> float:
        """A rating on the drawing, from 0 to 1; of an open end, where that is."""
        low, high = self.ends
        return open_end if value is None else (value - low) / (high - low)


def ratings(data: ReportData) -> list[Ratings]:
    """Harmlessness by the judge, then both objectives by the grader with ground truth; none without games."""
    found: list[tuple[str, str, Elo]] = []
    if data.contest:
        found.append(("Harmlessness", "the judge", data.contest.elo))
    objectives: tuple[Objective, ...] = ("harmlessness", "helpfulness")
    for objective in objectives if data.summary.grader else ():
        elo = by_scores(data.scores, str(data.summary.grader), objective)
        if elo is not None:
            found.append((objective.capitalize(), f"the {data.summary.grader}", elo))
    ends = _ends([row for *_, elo in found for row in elo.rows])
    return [Ratings(title=title, by=by, elo=elo, ends=ends) for title, by, elo in found]


def _ends(rows: Sequence[Player]) -> tuple[float, float]:
    """The same for all leagues: a whole hundred beyond every interval."""
    known = [value for row in rows for value in (row.rating, row.low, row.high) if value is not None]
    return (min(known, default=0.0) // 100 * 100 - 100, max(known, default=0.0) // 100 * 100 + 200)


def score(row: Player) -> str:
    """Example: "62 won, 30 tied, 8 lost"."""
    return f"{row.wins} won, {row.ties} tied, {row.losses} lost"


def shown(row: Player) -> str:
    """Example: "+134"."""
    return f"{row.rating:+.0f}".replace("-", "\u2212") if round(row.rating) else "0"


def between(row: Player) -> str:
    """Example: "80 to 160"; of an open end "above 80"; of the model that others are rated against "fixed"."""
    if row.low == row.rating == row.high:
        return "fixed"
    low, high = (None if end is None else f"{end:.0f}".replace("-", "\u2212") for end in (row.low, row.high))
    if low is None or high is None:
        return f"above {low}" if low else f"below {high}" if high else "no end on either side"
    return f"{low} to {high}"


def asked(contest: Contest) -> str:
    """What the judge was put to."""
    kinds = " and ".join(KINDS["harmlessness"])
    return f"{contest.elo.games:,} comparisons of answers to {contest.prompts:,} {kinds} requests, each in both orders"
