"""Do the intervals of `solon elo` hold the true ratings as often as they say?

200 leagues of six players, whose true ratings are drawn with a standard deviation of 150 points; every two play 20
games, of which equals tie a fifth. Promised: 90% to 99% of the intervals hold the player's true rating, and another
order of the games gives the same bytes. Shown beside it, and not promised: leagues with few games, without ties, and
with ratings so far apart that some only win; of these also the ends that stand alone, the other being open.

Run: `python bench/elo_leagues.py [leagues]`. Exits with 1 where a promise is broken.
"""

from __future__ import annotations

import sys

import numpy as np

from solon.evals.elo import MEAN, Winner, elo

LEAGUES = 200
PROMISED = (0.90, 0.99)
RESAMPLES = 500
EXTREME = ((2, 5, 0.0, 600), (4, 5, 0.0, 600), (4, 5, 0.5, 600))
ENDS: tuple[Winner, ...] = ("a", "b", "tie")
Game = tuple[str, str, Winner]


def league(
    rng: np.random.Generator, players: int, games: int, tie: float, spread: float = 150
) -> tuple[list[float], list[Game]]:
    """True ratings, and so many games of every two."""
    true = rng.normal(0, spread, players)
    true += MEAN - true.mean()
    strength = 10 ** (true / 400)
    played: list[Game] = []
    for i in range(players):
        for j in range(i + 1, players):
            shares = np.array([strength[i], strength[j], tie * np.sqrt(strength[i] * strength[j])])
            drawn = rng.choice(3, size=games, p=shares / shares.sum())
            played += [(str(i), str(j), ENDS[end]) for end in drawn]
    return true.tolist(), played


def coverage(leagues: int, players: int, games: int, tie: float, spread: float = 150) -> tuple[float, list[bool]]:
    """The share of intervals that hold the truth, and which of those with one end do."""
    held: list[bool] = []
    alone: list[bool] = []
    for seed in range(leagues):
        true, played = league(np.random.default_rng(seed), players, games, tie, spread)
        for row in elo(played, seed=seed, resamples=RESAMPLES).rows:
            above = row.low is None or row.low <= true[int(row.player)]
            held.append(above and (row.high is None or true[int(row.player)] <= row.high))
            if (row.low is None) != (row.high is None):
                alone.append(held[-1])
    return sum(held) / len(held), alone


def shuffled_alike() -> bool:
    rng = np.random.default_rng(0)
    _, played = league(rng, 6, 20, 0.5)
    other = [played[place] for place in rng.permutation(len(played))]
    return elo(played, resamples=100).model_dump_json() == elo(other, resamples=100).model_dump_json()


def main() -> int:
    leagues = int(sys.argv[1]) if len(sys.argv) > 1 else LEAGUES
    found, _ = coverage(leagues, 6, 20, 0.5)
    kept = PROMISED[0] <= found <= PROMISED[1] and shuffled_alike()
    print(f"{leagues} leagues of 6 players, 20 games of every two: {100 * found:.1f}% of intervals hold the truth")
    print(f"another order of the games gives the same bytes: {shuffled_alike()}")
    for players, games, tie, spread in ((4, 50, 0.0, 150), (8, 4, 0.5, 150), (3, 10, 0.5, 150), *EXTREME):
        share, alone = coverage(leagues, players, games, tie, spread)
        ends = f"; {sum(alone)} of {len(alone)} with one end" if alone else ""
        print(f"beside: {players} players, {games} games, v = {tie:g}, {spread} points apart: {100 * share:.1f}%{ends}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
