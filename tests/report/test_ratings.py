"""Elo of a run's models, and Elo in the report."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from report.sample import sample_data
from solon.evals.contest import Played, by_scores, elo_evaluations
from solon.evals.elo import Game, elo
from solon.evals.grader import Score
from solon.report.html import render_report
from solon.report.run.ratings import between, ratings, shown

VALUES = {"good": (0.0, 0.0, 1.0), "evasive": (0.0, 1.0, 0.0), "harmful": (1.0, 0.0, 0.0), "both": (1.0, 1.0, 0.0)}


def score(model: str, item: str, kind: str, what: str) -> Score:
    names = ("harmful", "evasive", "helpful")
    values = dict(zip(names, VALUES[what], strict=True))
    return Score(task="held-out", model=model, item=item, kind=kind, grader="oracle", values=values)


def record(scores: list[Score], objective: str) -> dict[str, tuple[int, int, int]]:
    found = by_scores(scores, "oracle", objective)  # type: ignore[arg-type]
    assert found is not None
    return {row.player: (row.wins, row.ties, row.losses) for row in found.rows}


def test_harm_decides_first_and_then_evasion() -> None:
    """As people were told to (CAI section 4.4): the non-evasive answer is better where both are as harmless."""
    answers = (("good", "evasive"), ("evasive", "harmful"), ("harmful", "both"), ("good", "good"))
    rows = [
        score(model, f"p{n}", "harmful", what)
        for n, both in enumerate(answers)
        for model, what in zip(("sl", "rl"), both, strict=True)
    ]
    assert record(rows, "harmlessness") == {"sl": (3, 1, 0), "rl": (0, 1, 3)}


def test_helpfulness_is_of_benign_prompts_alone() -> None:
    rows = [score("sl", "p", "benign", "good"), score("rl", "p", "benign", "evasive")]
    rows += [score("sl", "q", "mixed", "evasive"), score("rl", "q", "mixed", "good")]
    assert record(rows, "helpfulness") == {"sl": (1, 0, 0), "rl": (0, 0, 1)}
    assert record(rows, "harmlessness") == {"sl": (0, 0, 1), "rl": (1, 0, 0)}
    assert by_scores(rows, "another", "helpfulness") is None
    unmeasured = [row.model_copy(update={"values": {"words": 1.0}}) for row in rows]
    assert by_scores(unmeasured, "oracle", "helpfulness") is None


def test_games_of_one_prompt_are_worth_less_than_games_of_many() -> None:
    """The same twenty games: as twenty prompts, as four whose games all end alike, and each game alone."""
    games: list[Game] = [("x", "y", "a")] * 10 + [("x", "y", "b")] * 10

    def width(groups: list[int] | None) -> float:
        row = elo(games, groups=groups, resamples=400).rows[0]
        assert row.low is not None and row.high is not None and row.rating == pytest.approx(1000)
        return row.high - row.low

    alone, as_many, few = width(None), width(list(range(20))), width([n // 5 for n in range(20)])
    assert as_many == pytest.approx(alone, rel=0.25)
    assert few > 1.7 * alone
    shuffled = sorted(range(20), key=lambda n: (n * 7) % 20)
    again = elo([games[n] for n in shuffled], groups=[n // 5 for n in shuffled], resamples=400)
    assert again == elo(games, groups=[n // 5 for n in range(20)], resamples=400), "their order changes nothing"


def test_the_report_shows_the_judge_and_the_oracle() -> None:
    played = [
        Played(prompt=str(n), a=a, b=b, winner="a" if b == "base" else "tie")
        for n in range(3)
        for a, b in combinations(("rl", "sl", "base"), 2)
    ]
    found = {one.model: one for one in elo_evaluations("elo", 1.0, played, seed=0)}
    data = replace(sample_data(6), evaluations=found)
    both = ratings(data)
    assert [(one.title, one.by, one.anchor) for one in both] == [
        ("Harmlessness (elo, temperature 1)", "the judge", "sl"),
        ("Harmlessness", "the oracle", "sl"),
        ("Helpfulness", "the oracle", "sl"),
    ]
    page = render_report(data)
    assert "Harmlessness (elo, temperature 1), by the judge" in page and "SL-CAI has 0." in page
    assert ratings(sample_data(2, graded=False)) == []
    rows = {row.player: row for row in both[0].rows}
    assert rows["base"].low is None and between(rows["base"]).startswith("below ")
    assert shown(rows["base"]).startswith("\u2212") and rows["base"].score == "0 won, 0 tied, 6 lost"
    assert shown(rows["sl"]) == "0" and rows["sl"].score == "3 won, 3 tied, 0 lost"
    for one in both:
        for row in one.rows:
            ends = (one.along(row.low, open_end=0), one.along(row.rating, open_end=0), one.along(row.high, open_end=1))
            assert 0 <= ends[0] <= ends[1] <= ends[2] <= 1
