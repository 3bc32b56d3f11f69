"""Games between a run's models: ratings, shares, and how far models are apart."""

from __future__ import annotations

from solon.evals.contest import Played, elo_evaluations, rated
from solon.evals.elo import Winner


def games(a: str, b: str, *winners: Winner | None, prompts: int = 99) -> list[Played]:
    return [
        Played(prompt=str(n % prompts), a=a, b=b, winner=it, unscored=None if it else "cut")
        for n, it in enumerate(winners)
    ]


def test_ratings_and_how_far_they_are_apart() -> None:
    """3 wins of 4 are 190.8 points (`solon.evals.elo`)."""
    base, rl = elo_evaluations("elo", 1.0, games("base", "rl", "b", "b", "b", "a", None), seed=0)
    assert [round(one.metrics[0].value, 1) for one in (base, rl)] == [0.0, 190.8]
    assert round(rl.paired[0].value, 1) == 190.8 and rl.paired[0].against == "base"
    assert (rl.temperature, rl.metrics[0].n, rl.unscored) == (1.0, 4, {"cut": 1})
    assert {one.name: one.value for one in rl.metrics[1:]} == {"won": 0.75, "tied": 0.0}
    assert list(elo_evaluations("elo", 0.0, games("base", "rl", None), seed=0)) == []


def test_sl_has_0_where_it_played() -> None:
    played = games("base", "sl", "a", "b") + games("sl", "rl", "b", "b", "a")
    found = list(elo_evaluations("elo", 1.0, played, seed=0))
    assert [one.model for one in found] == ["base", "sl", "rl"]
    assert (found[1].metrics[0].value, found[1].metrics[0].low, found[1].metrics[0].high) == (0.0, 0.0, 0.0)


def test_games_about_one_prompt_are_not_independent() -> None:
    ends: list[Winner] = ["a"] * 20 + ["b"] * 20
    together = [Played(prompt=str(n // 5), a="rl", b="sl", winner=end) for n, end in enumerate(ends)]
    wide, narrow = (
        {it.name: it for it in [*elo_evaluations("elo", 1.0, played, seed=0)][1].metrics}
        for played in (together, games("rl", "sl", *ends))
    )
    for name in ("rating", "won"):
        (low, high), (most, least) = (((it := of[name]).low or 0, it.high or 0) for of in (wide, narrow))
        assert high - low > 1.5 * (least - most) > 0, name


def test_models_that_never_met_are_not_compared() -> None:
    played = games("base", "sl", "a", "b") + games("rl", "dpo", "a", "b")
    found = {one.model: one for one in elo_evaluations("elo", None, played, seed=0)}
    assert [it.name for it in found["rl"].metrics] == ["won", "tied"] and found["rl"].paired == ()
    assert [it.against for it in found["dpo"].paired] == ["rl"]


def test_without_games_there_is_no_rating() -> None:
    assert rated([]) is None and rated(games("base", "sl", None)) is None
    found = rated(games("x", "y", "a", "b"))
    assert found is not None and found.anchor == "x has 0"
