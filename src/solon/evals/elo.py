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
models that answer one prompt play three games, and a hard prompt is hard in all of them. Where games leave the other
end open, every resample does, and the bootstrap knows nothing: of 5 games won, all resamples have 5. There the end is
the farther of the bootstrap's and that of the likelihood (`davidson.furthest`), for which games of the same two in one
group count as one.

    K players   B resamples   G groups of games   C counts: wins of K x K, ties of each two
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from solon.errors import UserError
from solon.evals.bias import Bias
from solon.evals.davidson import fit, furthest, ties_are_bounded
from solon.evals.statistics import Floats, grouped
from solon.records import Record
from solon.text import did_you_mean

SCALE = 400 / log(10)
"""Points for every factor e of strength."""
MEAN = 1000.0
RESAMPLES = 1000
_CHUNK = 1 << 22
"""Numbers in an array of resamples at once."""
Winner = Literal["a", "b", "tie"]
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
    self_preference: Annotated[Bias | None, Field(exclude_if=lambda found: found is None)] = None
    """Of judges that are players, where the file says who judged."""


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

    def once(self) -> tuple[Floats, Floats]:
        """[K, K] wins and ties where all games of the same two in one group count as one."""
        if self.groups_GC is None:
            return self.wins_KK, self.ties_KK
        wins_GKK, ties_GKK = self._unfolded(self.groups_GC)
        games_GKK = np.maximum(wins_GKK + wins_GKK.transpose(0, 2, 1) + ties_GKK, 1)
        return (wins_GKK / games_GKK).sum(axis=0), (ties_GKK / games_GKK).sum(axis=0)

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
        if self.groups_GC is None:
            return self._unfolded(_games_anew(self.cells_C, size, rng))
        return self._unfolded(_anew(self.groups_GC, size, rng))

    def _unfolded(self, cells_BC: Floats) -> tuple[Floats, Floats]:
        size, count = len(cells_BC), len(self.players)
        ties_BKK = np.zeros((size, count, count))
        ties_BKK[:, self._above] = cells_BC[:, count * count :]
        return cells_BC[:, : count * count].reshape(size, count, count), ties_BKK + ties_BKK.transpose(0, 2, 1)


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
    scale, tied = _Scale.of(counts, anchor), ties_are_bounded(counts.wins_KK, counts.ties_KK)
    reach_KK = _reachable(counts.wins_KK + (counts.ties_KK if tied else 0) > 0)
    bounded = tied and bool(reach_KK[scale.same_KK].all())
    x_1K, tie_1 = fit(counts.wins_KK[None], counts.ties_KK[None], scale.same_KK, loose=not bounded)
    ratings_K, leagues_K = scale.placed(x_1K)[0], scale.leagues_K
    # Somebody whom it is rated against is out of reach.
    open_2K = np.stack([((scale.to_KK > 0) & ~some_KK).any(axis=1) for some_KK in (reach_KK, reach_KK.T)])
    low_K, high_K = _intervals(counts, scale, open_2K, seed, resamples)
    rows = [
        Player(
            player=name,
            rating=float(ratings_K[k]),
            low=None if open_2K[0, k] else float(low_K[k]),
            high=None if open_2K[1, k] else float(high_K[k]),
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
        notes=_notes(counts, leagues_K, open_2K, anchor, tied=tied),
        seed=seed,
        resamples=resamples,
    )


@dataclass(frozen=True, kw_only=True)
class _Scale:
    """What ratings are relative to."""

    leagues_K: NDArray[np.int64]
    to_KK: Floats
    """Weights of the players whose mean the rating of the row is against: of its league, or of the anchor alone."""
    base_K: Floats
    """The rating of that mean."""

    @classmethod
    def of(cls, counts: Games, anchor: tuple[str, float] | None) -> _Scale:
        leagues_K = _leagues(counts)
        same_KK = leagues_K[:, None] == leagues_K[None]
        to_KK, base_K = same_KK / same_KK.sum(axis=1, keepdims=True), np.full(len(same_KK), MEAN)
        if anchor is not None:
            k = counts.players.index(anchor[0])
            to_KK[same_KK[k]] = np.arange(len(to_KK)) == k
            base_K[same_KK[k]] = anchor[1]
        return cls(leagues_K=leagues_K, to_KK=to_KK, base_K=base_K)

    @property
    def same_KK(self) -> NDArray[np.bool_]:
        """Who is of one league."""
        same_KK: NDArray[np.bool_] = self.leagues_K[:, None] == self.leagues_K[None]
        return same_KK

    def placed(self, x_BK: Floats) -> Floats:
        """[B, K] ratings."""
        ratings_BK: Floats = self.base_K + SCALE * (x_BK - x_BK @ self.to_KK.T)
        return ratings_BK

    def furthest(self, counts: Games, some: NDArray[np.int64], sign: float) -> Floats:
        """Ends of these players' ratings, upper or (sign -1) lower ones."""
        contrast_BK = np.eye(len(self.to_KK))[some] - self.to_KK[some]
        away_B = furthest(*counts.once(), self.same_KK, sign * contrast_BK)
        ends_B: Floats = self.base_K[some] + sign * SCALE * away_B
        return ends_B


def _intervals(
    counts: Games, scale: _Scale, open_2K: NDArray[np.bool_], seed: int, resamples: int
) -> tuple[Floats, Floats]:
    """Low and high ends. open_2K: ratings that games do not bound from below, and from above."""
    ends_2K = _bootstrap(counts, scale, seed, resamples)
    for place, sign in enumerate((-1.0, 1.0)):
        some = np.flatnonzero(open_2K[1 - place] & ~open_2K[place])
        if len(some):
            ends_2K[place, some] = sign * np.maximum(
                sign * ends_2K[place, some], sign * scale.furthest(counts, some, sign)
            )
    return ends_2K[0], ends_2K[1]


def _bootstrap(counts: Games, scale: _Scale, seed: int, resamples: int) -> Floats:
    """[2, K]"""
    rng, done = np.random.default_rng(seed), 0
    parts: list[Floats] = []
    most = max(1, _CHUNK // len(counts.players) ** 2)
    while done < resamples:
        size = min(most, resamples - done)
        x_BK, _ = fit(*counts.resampled(size, rng), scale.same_KK, loose=True)
        parts.append(scale.placed(x_BK))
        done += size
    ends_2K: Floats = np.quantile(np.concatenate(parts), [0.025, 0.975], axis=0)
    return ends_2K


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
    open_2K: NDArray[np.bool_],
    anchor: tuple[str, float] | None,
    *,
    tied: bool,
) -> tuple[str, ...]:
    said = []
    if leagues_K.max():
        said.append(f"{int(leagues_K.max()) + 1} leagues never met: ratings of different leagues are not comparable")
        if anchor:
            said.append(f"the anchor holds for the league of {anchor[0]}; the others have the mean {MEAN:g}")
    one_sided = [name for k, name in enumerate(counts.players) if open_2K[:, k].any()]
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
