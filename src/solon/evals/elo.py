"""Elo ratings of players from games between two of them, by maximum likelihood and in no order.

Davidson's model of ties (1970, JASA 65, 317-328): with the strengths p = 10^(rating / 400) of two players,

    P(a wins) : P(b wins) : P(tie)  =  p_a : p_b : v sqrt(p_a p_b)

so that without ties (v = 0) it is the model of Bradley and Terry, and of two who never tie one is 10 times as likely to
win for every 400 points. Ratings and v are where all games together are likeliest; the log-likelihood is concave, and
Newton's method finds the place. Games are counted before anything is computed, so their order changes nothing, nor
which of two is called `a`.

Only differences of ratings mean anything. The mean of a league is 1000, or one player has a rating that is given.
Players whom no chain of games connects are of different leagues, and their ratings are not comparable.

A maximum exists exactly if, in every league, everybody over some chain of games won or tied against everybody else,
and, where there are ties, some chain of games that closes has more wins than ties. Where somebody only wins, the
likelihood rises without end. So it does where ties alone lead back (wins and ties, no loss): the strengths move apart
while v grows. Then, and in resamples, it has a weak prior (each log-strength and ln v normal about the mean, standard
deviation `LOOSE`), and intervals are open (null) at the ends that the games do not bound; without a bound on v, a tie
bounds nothing.

Intervals are the middle 95% of a bootstrap over games, or, where games have something in common, over that: three
models that answer one prompt play three games, and a hard prompt is hard in all of them.

    K players   B resamples   G groups of games   C counts: wins of K x K, ties of each two
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from solon.data.faults import Fields, Malformed
from solon.errors import UserError
from solon.evals.published.rows import field, read_each
from solon.evals.statistics import Floats, grouped
from solon.records import Record
from solon.text import did_you_mean

SCALE = 400 / log(10)
"""Points for every factor e of strength."""
MEAN = 1000.0
LOOSE = 100.0
"""In units of ln strength: it moves the ratings of a player with 20 games by less than 0.01 points. Assumption."""
RESAMPLES = 1000
_STEPS = 200
_LONGEST = 3.0
"""Of a Newton step, in units of ln strength, so that it cannot overshoot where the likelihood is flat."""
_CHUNK = 1 << 22
"""Numbers in an array of resamples at once."""
Winner = Literal["a", "b", "tie"]
_WINNERS: dict[str, Winner] = {"a": "a", "b": "b", "tie": "tie"}
Game = tuple[str, str, Winner | None]
"""The players `a` and `b`, and who won; None: there was no verdict."""


class Player(Record):
    """One player's rating, with its 95% interval."""

    player: str
    rating: float
    low: float | None
    """null: without a lower end, since nothing that the player, or its group, won or tied bounds it from below."""
    high: float | None
    games: int
    wins: int
    ties: int
    losses: int
    league: int
    """Players of different leagues, numbered from 1, never met, not even over others."""


class Elo(Record):
    """Ratings, the best of each league first."""

    rows: tuple[Player, ...]
    games: int
    """With a winner, or a tie."""
    ties: int
    unscored: int
    """Games that count nowhere: nobody can say who won."""
    tie_parameter: float
    """v: how likely two equals tie, against how likely one of them wins."""
    leagues: int
    anchor: str
    """What the ratings are relative to."""
    notes: tuple[str, ...]
    seed: int
    resamples: int


@dataclass(frozen=True, kw_only=True)
class Games:
    """How often every two players met, and with which end."""

    players: tuple[str, ...]
    """In alphabetical order."""
    wins_KK: Floats
    """Of the player of the row against the player of the column."""
    ties_KK: Floats
    """Symmetric: each tie stands at both places."""
    groups_GC: Floats | None = None
    """The counts of each group of games; None: every game is a group of its own."""

    @classmethod
    def of(cls, games: Sequence[Game], groups: Sequence[Hashable] | None = None) -> Games:
        """Counts games, given as the players `a` and `b` and who won. groups: what each is of, e.g. a prompt."""
        players = tuple(sorted({name for a, b, _ in games for name in (a, b)}))
        whole = cls._counted(games, players)
        if groups is None:
            return whole
        own = grouped(zip(groups, games, strict=True), lambda pair: pair[0]).values()
        cells = [cls._counted([game for _, game in some], players).cells_C for some in own]
        return replace(whole, groups_GC=np.asarray(sorted(cells, key=lambda one: one.tolist())))

    @classmethod
    def _counted(cls, games: Sequence[Game], players: tuple[str, ...]) -> Games:
        place = {name: number for number, name in enumerate(players)}
        wins_KK, ties_KK = np.zeros((2, len(players), len(players)))
        for (a, b, winner), count in Counter(games).items():
            i, j = place[a], place[b]
            if winner == "tie":
                ties_KK[i, j] += count
                ties_KK[j, i] += count
            else:
                wins_KK[(i, j) if winner == "a" else (j, i)] += count
        return cls(players=players, wins_KK=wins_KK, ties_KK=ties_KK)

    @property
    def cells_C(self) -> Floats:
        """All counts, each once."""
        return np.concatenate([self.wins_KK.ravel(), self.ties_KK[self._above]])

    @property
    def _above(self) -> NDArray[np.bool_]:
        return np.triu(np.ones_like(self.ties_KK, dtype=bool), 1)

    def resampled(self, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """[B, K, K] wins and ties of as many games, or groups of games, drawn anew."""
        drawn_BC = _games_anew(self.cells_C, size, rng) if self.groups_GC is None else _anew(self.groups_GC, size, rng)
        count = len(self.players)
        ties_BKK = np.zeros((size, count, count))
        ties_BKK[:, self._above] = drawn_BC[:, count * count :]
        return drawn_BC[:, : count * count].reshape(size, count, count), ties_BKK + ties_BKK.transpose(0, 2, 1)


def _games_anew(cells_C: Floats, size: int, rng: np.random.Generator) -> Floats:
    """[B, C]"""
    some = np.flatnonzero(cells_C)
    drawn_BC = np.zeros((size, len(cells_C)))
    drawn_BC[:, some] = rng.multinomial(int(cells_C.sum()), cells_C[some] / cells_C.sum(), size=size)
    return drawn_BC


def _anew(groups_GC: Floats, size: int, rng: np.random.Generator) -> Floats:
    """[B, C]"""
    count = len(groups_GC)
    drawn_BC: Floats = rng.multinomial(count, np.full(count, 1 / count), size=size) @ groups_GC
    return drawn_BC


def read_games(path: Path) -> tuple[list[Game], list[str] | None]:
    """Rows with the players `a` and `b`, and `winner`: `a`, `b`, `tie`, or null if there was no verdict; and the prompt
    of each, if every row has `prompt_id`. Raises `PromptError`."""
    rows = read_each(path, ("a", "b", "winner", "prompt_id"), lambda fields: (_game(fields), fields.get("prompt_id")))
    prompts = [str(prompt) for _, prompt in rows if prompt is not None]
    return [game for game, _ in rows], prompts if len(prompts) == len(rows) else None


def elo(
    games: Sequence[Game],
    *,
    groups: Sequence[Hashable] | None = None,
    anchor: tuple[str, float] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Elo:
    """Ratings with their intervals. groups: what each game has in common with others, over which the bootstrap then is.
    anchor: a player and its rating. Raises `UserError` if there is no such player, or no game has a winner or is a tie.

    Example: of two players one wins 3 games of 4: it is 3 times as strong, so 400 log10(3) = 190.8 points apart:
    1095.4 and 904.6.
    """
    scored = [place for place, (_, _, winner) in enumerate(games) if winner is not None]
    if not scored:
        raise UserError("no game has a winner or is a tie", hint=f"{len(games)} are without a verdict")
    counts = Games.of([games[at] for at in scored], groups and [groups[at] for at in scored])
    if anchor is not None and anchor[0] not in counts.players:
        raise UserError(f"no player is called {anchor[0]!r}", hint=did_you_mean(anchor[0], counts.players))
    leagues_K, tied = _leagues(counts), _ties_are_bounded(counts)
    reach_KK = _reachable(counts.wins_KK + (counts.ties_KK if tied else 0) > 0)
    same_KK = leagues_K[:, None] == leagues_K[None]
    bounded = tied and bool(reach_KK[same_KK].all())
    x_1K, tie_1 = _fit(counts.wins_KK[None], counts.ties_KK[None], same_KK, loose=not bounded)
    ratings_K = _placed(x_1K, counts, leagues_K, anchor)[0]
    low_K, high_K = _intervals(counts, leagues_K, anchor, seed, resamples)
    open_below = (same_KK & ~reach_KK).any(axis=1)  # somebody of the league is out of reach
    open_above = (same_KK & ~reach_KK.T).any(axis=1)
    rows = [
        Player(
            player=name,
            rating=float(ratings_K[k]),
            low=None if open_below[k] else float(low_K[k]),
            high=None if open_above[k] else float(high_K[k]),
            league=int(leagues_K[k]) + 1,
            **_record(counts, k),
        )
        for k, name in enumerate(counts.players)
    ]
    return Elo(
        rows=tuple(sorted(rows, key=lambda row: (row.league, -row.rating, row.player))),
        games=len(scored),
        unscored=len(games) - len(scored),
        ties=int(counts.ties_KK.sum()) // 2,
        tie_parameter=float(tie_1[0]),
        leagues=int(leagues_K.max()) + 1,
        anchor=f"{anchor[0]} has {anchor[1]:g}" if anchor else f"each league has the mean {MEAN:g}",
        notes=_notes(counts, leagues_K, open_below, open_above, anchor, tied=tied),
        seed=seed,
        resamples=resamples,
    )


def _fit(wins_BKK: Floats, ties_BKK: Floats, same_KK: NDArray[np.bool_], *, loose: bool) -> tuple[Floats, Floats]:
    """[B, K] ln strengths and [B] v, where the games are likeliest.

    With s = ln(p_i / p_j) and u = ln v of the pair's n games, wins - losses and ties are sufficient: the gradient is
    what was observed minus what is expected of them, and the Hessian their covariance.
    """
    size, count, _ = wins_BKK.shape
    games_BKK = wins_BKK + wins_BKK.transpose(0, 2, 1) + ties_BKK
    tied_B = ties_BKK.sum(axis=(1, 2)) > 0
    x_BP = np.zeros((size, count + 1))  # K ln strengths, and u
    prior = np.full(count + 1, LOOSE**-2 if loose else 0.0)
    fixed_KK = same_KK / count  # takes the freedom to add a constant to a league
    for _ in range(_STEPS):
        s_BKK = x_BP[:, :-1, None] - x_BP[:, None, :-1]
        win_BKK, tie_BKK = _chances(s_BKK, np.where(tied_B, x_BP[:, -1], -np.inf)[:, None, None])
        lead_BKK = win_BKK - win_BKK.transpose(0, 2, 1)
        gradient_BP = np.zeros_like(x_BP)
        seen_BKK = wins_BKK - wins_BKK.transpose(0, 2, 1)
        gradient_BP[:, :-1] = 0.5 * (seen_BKK - games_BKK * lead_BKK).sum(axis=2)
        gradient_BP[:, -1] = 0.5 * (ties_BKK - games_BKK * tie_BKK).sum(axis=(1, 2))
        gradient_BP -= prior * x_BP
        spread_BKK = 0.25 * games_BKK * (1 - tie_BKK - lead_BKK**2)
        hessian = np.zeros((size, count + 1, count + 1))
        hessian[:, :-1, :-1] = -spread_BKK + np.eye(count) * spread_BKK.sum(axis=2)[:, :, None] + fixed_KK
        hessian[:, :-1, -1] = hessian[:, -1, :-1] = -0.5 * (games_BKK * lead_BKK * tie_BKK).sum(axis=2)
        hessian[:, -1, -1] = 0.5 * (games_BKK * tie_BKK * (1 - tie_BKK)).sum(axis=(1, 2)) + ~tied_B
        hessian += np.eye(count + 1) * prior
        step_BP = np.linalg.solve(hessian, gradient_BP[..., None])[..., 0]
        longest_B = np.abs(step_BP).max(axis=1, keepdims=True)
        x_BP += step_BP * np.minimum(1.0, _LONGEST / np.maximum(longest_B, 1e-300))
        if longest_B.max() < 1e-10:
            break
    return x_BP[:, :-1], np.where(tied_B, np.exp(x_BP[:, -1]), 0.0)


def _chances(s: Floats, u: Floats) -> tuple[Floats, Floats]:
    """That the first of two wins, and that they tie. s: ln of how many times stronger the first is; u: ln v."""
    half = np.abs(s) / 2
    largest = np.maximum(half, u)
    up, down, tie = np.exp(s / 2 - largest), np.exp(-s / 2 - largest), np.exp(u - largest)
    total = up + down + tie
    return up / total, tie / total


def _placed(x_BK: Floats, counts: Games, leagues_K: NDArray[np.int64], anchor: tuple[str, float] | None) -> Floats:
    """[B, K] ratings."""
    ratings_BK = SCALE * x_BK
    for league in range(int(leagues_K.max()) + 1):
        own = leagues_K == league
        ratings_BK[:, own] += MEAN - ratings_BK[:, own].mean(axis=1, keepdims=True)
    if anchor is not None:
        k = counts.players.index(anchor[0])
        own = leagues_K == leagues_K[k]
        ratings_BK[:, own] += anchor[1] - ratings_BK[:, k, None]
    return ratings_BK


def _intervals(
    counts: Games, leagues_K: NDArray[np.int64], anchor: tuple[str, float] | None, seed: int, resamples: int
) -> tuple[Floats, Floats]:
    rng, done = np.random.default_rng(seed), 0
    parts: list[Floats] = []
    same_KK, most = leagues_K[:, None] == leagues_K[None], max(1, _CHUNK // len(counts.players) ** 2)
    while done < resamples:
        size = min(most, resamples - done)
        x_BK, _ = _fit(*counts.resampled(size, rng), same_KK, loose=True)
        parts.append(_placed(x_BK, counts, leagues_K, anchor))
        done += size
    low_K, high_K = np.quantile(np.concatenate(parts), [0.025, 0.975], axis=0)
    return low_K, high_K


def _ties_are_bounded(counts: Games) -> bool:
    """Whether v has a largest likelihood, or there are no ties.

    v may grow by a factor e^w without making any game less likely if ln strengths can move by d, with d_i - d_j >= 2 w
    where i won against j and |d_i - d_j| <= 2 w where they tied. There are such d for w > 0 exactly if no cycle of
    these differences is negative (Floyd and Warshall's shortest paths).
    """
    if not counts.ties_KK.any():
        return True
    paths_KK = np.where(counts.wins_KK > 0, -2.0, np.where(counts.ties_KK > 0, 2.0, np.inf))
    for k in range(len(paths_KK)):
        paths_KK = np.minimum(paths_KK, paths_KK[:, k, None] + paths_KK[None, k])
        if (paths_KK.diagonal() < 0).any():
            return True
    return False


def _reachable(edges_KK: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[K, K] whether a chain of edges leads from the row to the column; to itself it always does."""
    reach_KK = edges_KK | np.eye(len(edges_KK), dtype=bool)
    while True:
        further = (reach_KK.astype(np.float32) @ reach_KK.astype(np.float32)) > 0
        if (further == reach_KK).all():
            return reach_KK
        reach_KK = further


def _leagues(counts: Games) -> NDArray[np.int64]:
    """[K] numbers of leagues from 0, by their first players."""
    met_KK = counts.wins_KK + counts.wins_KK.T + counts.ties_KK > 0
    first_K = _reachable(met_KK).argmax(axis=1)
    return np.unique(first_K, return_inverse=True)[1].astype(np.int64)


def _record(counts: Games, k: int) -> dict[str, int]:
    wins, losses, ties = counts.wins_KK[k].sum(), counts.wins_KK[:, k].sum(), counts.ties_KK[k].sum()
    return {"games": int(wins + losses + ties), "wins": int(wins), "ties": int(ties), "losses": int(losses)}


def _notes(
    counts: Games,
    leagues_K: NDArray[np.int64],
    open_below: NDArray[np.bool_],
    open_above: NDArray[np.bool_],
    anchor: tuple[str, float] | None,
    *,
    tied: bool,
) -> tuple[str, ...]:
    said = []
    if leagues_K.max():
        said.append(f"{int(leagues_K.max()) + 1} leagues never met: ratings of different leagues are not comparable")
        if anchor:
            said.append(f"the anchor holds for the league of {anchor[0]}; the others have the mean {MEAN:g}")
    one_sided = [name for k, name in enumerate(counts.players) if open_below[k] or open_above[k]]
    if one_sided:
        shown = ", ".join(one_sided[:5]) + (", ..." if len(one_sided) > 5 else "")
        why = (
            "some only win or only lose against the rest of their league"
            if tied
            else "nothing but ties leads back from who lost to who won, and without an end to the chance of ties they "
            "bound no rating"
        )
        ends = "so that these ratings have no end on one side" if tied else "so that these have an open end"
        said.append(f"{why}, {ends}; a weak prior keeps them finite: {shown}")
    return tuple(said)


def _game(fields: Fields) -> Game:
    a, b = (_name(fields, name) for name in ("a", "b"))
    if a == b:
        raise Malformed(f"{a!r:.40} plays against itself", reason="a player against itself")
    value = field(fields, "winner")
    if value is None:
        return a, b, None
    given = str(value).strip().lower()
    winner = _WINNERS.get(given)
    if winner is None:
        raise Malformed(f'"winner" is {given!r:.40}, expected a, b or tie', reason="unknown winner")
    return a, b, winner


def _name(fields: Fields, column: str) -> str:
    name = field(fields, column)
    if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
        raise Malformed(f'"{column}" must be the name of a player', reason="no name of a player")
    return str(name).strip()
