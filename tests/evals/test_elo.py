from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest

from solon.errors import PromptError, UserError
from solon.evals.elo import Elo, Winner, elo
from solon.evals.game_rows import read_games

Game = tuple[str, str, Winner]


def games(counts: dict[Game, int]) -> list[Game]:
    return [game for game, count in counts.items() for _ in range(count)]


def test_two_players_are_as_far_apart_as_their_odds() -> None:
    found = elo(games({("x", "y", "a"): 3, ("y", "x", "a"): 1}), resamples=100)
    assert [row.player for row in found.rows] == ["x", "y"]
    assert found.rows[0].rating - found.rows[1].rating == pytest.approx(400 * math.log10(3), abs=1e-6)
    assert found.rows[0].rating + found.rows[1].rating == pytest.approx(2000)
    assert (found.rows[0].games, found.rows[0].wins, found.rows[0].losses, found.rows[0].ties) == (4, 3, 1, 0)


def test_ties_are_davidsons() -> None:
    """Of equals who tie half their games: win : loss : tie = 1 : 1 : 2, so v = 2."""
    found = elo(games({("x", "y", "a"): 5, ("x", "y", "b"): 5, ("x", "y", "tie"): 10}), resamples=100)
    assert found.tie_parameter == pytest.approx(2.0, abs=1e-6)
    assert [row.rating for row in found.rows] == pytest.approx([1000, 1000])
    unequal = elo(games({("x", "y", "a"): 8, ("x", "y", "b"): 2, ("x", "y", "tie"): 4}), resamples=100)
    # saturated: p_x / p_y = 8 / 2 and v = ties / sqrt(wins * losses)
    assert unequal.rows[0].rating - unequal.rows[1].rating == pytest.approx(400 * math.log10(4), abs=1e-6)
    assert unequal.tie_parameter == pytest.approx(1.0, abs=1e-6)


def test_the_ratings_are_where_the_games_are_likeliest() -> None:
    """No other ratings near by make the games likelier."""
    played = simulated(np.random.default_rng(3), 5, 12)[1]
    found = elo(played, resamples=100)
    ratings, best = {row.player: row.rating for row in found.rows}, found.tie_parameter

    def log_likelihood(ratings: dict[str, float], v: float) -> float:
        total = 0.0
        for a, b, winner in played:
            p, q = 10 ** (ratings[a] / 400), 10 ** (ratings[b] / 400)
            shares = {"a": p, "b": q, "tie": v * math.sqrt(p * q)}
            total += math.log(shares[winner] / sum(shares.values()))
        return total

    top = log_likelihood(ratings, best)
    for player in ratings:
        for step in (-1.0, 1.0):
            assert log_likelihood(ratings | {player: ratings[player] + step}, best) < top
    assert log_likelihood(ratings, best * 1.01) < top > log_likelihood(ratings, best * 0.99)


def test_the_order_of_games_and_who_is_called_a_change_nothing() -> None:
    played = simulated(np.random.default_rng(1), 4, 10)[1]
    found = elo(played, resamples=100).model_dump_json()
    random.Random(0).shuffle(played)
    swap: dict[Winner, Winner] = {"a": "b", "b": "a", "tie": "tie"}
    assert elo(played, resamples=100).model_dump_json() == found
    assert elo([(b, a, swap[winner]) for a, b, winner in played], resamples=100).model_dump_json() == found


def test_who_only_wins_has_no_upper_end() -> None:
    found = elo(games({("x", "y", "a"): 3, ("y", "z", "a"): 2, ("z", "y", "a"): 1}), resamples=100)
    x, y, z = found.rows
    assert (x.player, x.high, x.low is None) == ("x", None, False)
    assert (y.player, y.low, z.low) == ("y", None, None) and y.high is not None
    assert x.rating < 3000
    assert found.notes == (
        "some only win or only lose against the rest of their league, so that these ratings have no end on one side; a "
        "weak prior keeps them finite: x, y, z",
    )


@pytest.mark.parametrize(("won", "low"), [(1, 681.79), (5, 992.41), (50, 1223.19)])
def test_who_won_all_games_is_bounded_as_exactly_as_a_share_is(won: int, low: float) -> None:
    """Clopper and Pearson's p of won^n: 0.025^(1/n), so low = 1000 + 200 log10(p / (1 - p)). No resample has a loss."""
    p = 0.025 ** (1 / won)
    assert 1000 + 200 * math.log10(p / (1 - p)) == pytest.approx(low, abs=0.01)
    x, y = elo(games({("x", "y", "a"): won}), resamples=100).rows
    assert (x.low, y.high) == (pytest.approx(low, abs=0.05), pytest.approx(2000 - low, abs=0.05))
    copied = elo(games({("x", "y", "a"): 10 * won}), groups=[n // 10 for n in range(10 * won)], resamples=100)
    assert copied.rows[0].low == pytest.approx(low, abs=0.05)  # ten copies say no more than one


def test_wins_and_ties_alone_leave_a_wide_end() -> None:
    """9 wins and a tie: no resample has a loss, however likely ties are."""
    x, _ = elo(games({("x", "y", "a"): 9, ("x", "y", "tie"): 1}), resamples=100).rows
    assert x.low is not None and x.low < 1100 < x.rating - 500


def test_one_who_loses_to_all_opens_no_rating_that_is_against_another() -> None:
    """Against the mean every rating may be far above; against the anchor only those whom no games bound."""
    played = games({("x", "y", "a"): 3, ("x", "y", "b"): 2, ("x", "z", "a"): 1, ("y", "z", "a"): 1})
    assert [row.high for row in elo(played, resamples=100).rows[:2]] == [None, None]
    x, y, z = elo(played, anchor=("y", 0), resamples=100).rows
    assert (y.low, y.high, z.low) == (0, 0, None)
    assert x.low is not None and x.high is not None and z.high is not None and x.low < x.rating < x.high


def test_of_extreme_leagues_the_intervals_hold_the_truth_too() -> None:
    """One is 800 points above the rest, and wins nearly all of 6 games against each; 12 leagues here, more in bench."""
    held, closed = [], 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        won = [rng.random(6) < 1 / (1 + 10 ** (-gap / 400)) for gap in (800, 800, 0)]
        pairs = (("x", "y"), ("x", "z"), ("y", "z"))
        played: list[Game] = [(*pair, "a" if it else "b") for pair, own in zip(pairs, won, strict=True) for it in own]
        found = elo(played, resamples=100)
        true = {"x": 1000 + 1600 / 3, "y": 1000 - 800 / 3, "z": 1000 - 800 / 3}
        closed += sum((row.low is None) != (row.high is None) for row in found.rows)
        held += [
            (row.low is None or row.low <= true[row.player]) and (row.high is None or true[row.player] <= row.high)
            for row in found.rows
        ]
    assert closed > 20 and sum(held) / len(held) >= 0.9


def test_players_who_never_met_are_of_different_leagues() -> None:
    both = {("x", "y", "a"): 3, ("x", "y", "b"): 1, ("u", "v", "a"): 1, ("v", "u", "a"): 1}
    found = elo(games(both), resamples=100)  # type: ignore[arg-type]
    assert [(row.player, row.league) for row in found.rows] == [("u", 1), ("v", 1), ("x", 2), ("y", 2)]
    assert found.rows[2].rating + found.rows[3].rating == pytest.approx(2000)
    assert found.leagues == 2
    assert found.notes == ("2 leagues never met: ratings of different leagues are not comparable",)


def test_an_anchor() -> None:
    played = games({("x", "y", "a"): 3, ("x", "y", "b"): 1})
    found = elo(played, anchor=("y", 1200), resamples=100)
    assert found.rows[1].rating == found.rows[1].low == found.rows[1].high == 1200
    assert found.rows[0].rating == pytest.approx(1200 + 400 * math.log10(3))
    with pytest.raises(UserError, match=r"no player is called 'xx' \(did you mean `x`\?\)"):
        elo(played, anchor=("xx", 0), resamples=100)


def test_only_ties_are_no_difference_and_bound_none() -> None:
    found = elo(games({("x", "y", "tie"): 5}), resamples=100)
    assert [row.rating for row in found.rows] == pytest.approx([1000, 1000])
    assert all(row.low is row.high is None for row in found.rows)


@pytest.mark.parametrize(("wins", "ties"), [(9, 1), (30, 10)])
def test_ties_alone_do_not_hold_a_league_together(wins: int, ties: int) -> None:
    """The likelihood rises without end as x grows apart from y and v keeps the share of ties."""
    found = elo(games({("x", "y", "a"): wins, ("x", "y", "tie"): ties}), resamples=100)
    x, y = found.rows
    assert (x.player, x.high, y.low) == ("x", None, None)
    assert x.low is not None and x.low <= x.rating < 10_000
    assert y.high is not None and y.high >= y.rating
    assert found.notes == (
        "nothing but ties leads back from who lost to who won, and without an end to the chance of ties they bound no "
        "rating, so that these have an open end; a weak prior keeps them finite: x, y",
    )


def test_a_chain_of_more_wins_than_ties_bounds_all_ties() -> None:
    """x > y > z ties x closes with two wins and one tie. One of another league bounds the same v."""
    chain: dict[Game, int] = {("x", "y", "a"): 3, ("y", "z", "a"): 3, ("z", "x", "tie"): 2}
    assert all(row.low is not None and row.high is not None for row in elo(games(chain), resamples=100).rows)
    one_way: dict[Game, int] = {("u", "v", "a"): 9, ("u", "v", "tie"): 3}
    both = elo(games(chain | one_way), resamples=100)
    assert both.leagues == 2 and all(row.low is not None and row.high is not None for row in both.rows)
    less: dict[Game, int] = {("x", "y", "a"): 3, ("y", "z", "tie"): 3, ("z", "x", "tie"): 2}
    assert all(row.low is None or row.high is None for row in elo(games(less), resamples=100).rows)


def simulated(rng: np.random.Generator, players: int, each: int) -> tuple[dict[str, float], list[Game]]:
    """True ratings of mean 1000, and games of every two."""
    true = rng.normal(0, 150, players)
    true += 1000 - true.mean()
    strength, names = 10 ** (true / 400), [f"player {k}" for k in range(players)]
    ends: tuple[Winner, ...] = ("a", "b", "tie")
    played: list[Game] = []
    for i in range(players):
        for j in range(i + 1, players):
            shares = np.array([strength[i], strength[j], 0.5 * math.sqrt(strength[i] * strength[j])])
            drawn = rng.choice(3, size=each, p=shares / shares.sum())
            played += [(names[i], names[j], ends[end]) for end in drawn]
    return dict(zip(names, map(float, true), strict=True)), played


def test_intervals_hold_the_truth_as_often_as_they_should() -> None:
    """20 leagues here, 200 in bench/elo_leagues.py."""
    inside = []
    for seed in range(20):
        true, played = simulated(np.random.default_rng(seed), 4, 20)
        for row in elo(played, seed=seed, resamples=200).rows:
            assert row.low is not None and row.high is not None
            inside.append(row.low <= true[row.player] <= row.high)
    assert 0.88 <= sum(inside) / len(inside) <= 0.995


def test_a_file_and_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "games.jsonl"
    good = {"a": "x", "b": "y", "winner": "A", "judge": "z"}
    file.write_text(json.dumps(good) + "\n")
    assert read_games(file) == ([("x", "y", "a")], None, ["z"])
    file.write_text("".join(json.dumps({**good, "prompt_id": n}) + "\n" for n in (1, "p")))
    assert read_games(file) == ([("x", "y", "a")] * 2, ["1", "p"], ["z"] * 2)
    bad = [{"a": "x", "b": "x", "winner": "a"}, {"a": "x", "b": "y", "winner": "x"}, {"a": "", "b": "y", "winner": "a"}]
    file.write_text("\n".join(json.dumps(row) for row in [good, *bad, {"a": "x"}]))
    with pytest.raises(PromptError) as told:
        read_games(file)
    assert str(told.value).splitlines() == [
        f"{file}:2: 'x' plays against itself",
        f"{file}:3: \"winner\" is 'x', expected a, b or tie",
        f'{file}:4: "a" must be the name of a player',
        f'{file}:5: no "b" (the row has `a`)',
    ]


def test_a_game_without_a_verdict_counts_nowhere_and_is_counted(tmp_path: Path) -> None:
    """As `solon eval games` writes it."""
    (tmp_path / "games.jsonl").write_text(
        '{"a": "x", "b": "y", "winner": "a", "p_a": {"a": 0.9}}\n{"a": "x", "b": "y", "winner": null}\n'
        '{"a": "x", "b": "y", "winner": "b"}\n'
    )
    found = elo(read_games(tmp_path / "games.jsonl")[0])
    assert (found.games, found.unscored, found.rows[0].games) == (2, 1, 2)
    with pytest.raises(UserError, match="no game has a winner or is a tie"):
        elo([("x", "y", None)])


def test_games_about_one_prompt_are_drawn_together() -> None:
    """Ten copies of the games of each prompt say no more than one, so the interval stays as wide."""
    rng = np.random.default_rng(5)
    once: list[Game] = [("x", "y", "a" if rng.random() < 0.6 else "b") for _ in range(40)]
    prompts = [number for number in range(40) for _ in range(10)]
    copied = [once[number] for number in prompts]
    single, whole = elo(once, resamples=400), elo(copied, groups=prompts, resamples=400)
    independent = elo(copied, resamples=400)

    def width(found: Elo) -> float:
        best = found.rows[0]
        assert best.low is not None and best.high is not None
        return best.high - best.low

    assert whole.rows[0].rating == pytest.approx(single.rows[0].rating)
    assert width(whole) == pytest.approx(width(single), rel=0.2)
    assert width(independent) < 0.5 * width(whole)


def test_groups_count_ties_as_all_games_do() -> None:
    """Groups that are all alike: every resample has the same games, and so the same ratings."""
    alike = games({("x", "y", "a"): 3, ("y", "x", "a"): 1, ("x", "y", "tie"): 4})
    found = elo(alike * 10, groups=[number // len(alike) for number in range(10 * len(alike))], resamples=50)
    for row in found.rows:
        assert (row.low, row.high) == (pytest.approx(row.rating, abs=0.1),) * 2
