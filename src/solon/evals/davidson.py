"""Davidson's model of games with ties (1970, JASA 65, 317-328): fitting it, and how far games bound it.

With the ln strengths x of two players, s = x_a - x_b and u = ln v,

    P(a wins) : P(b wins) : P(tie)  =  e^(s/2) : e^(-s/2) : e^u

    K players   P = K + 1 parameters, x and u   B fits at once
"""

from __future__ import annotations

from math import log

import numpy as np
from numpy.typing import NDArray

from solon.evals.statistics import Floats

LOOSE = 100.0
"""In units of ln strength: it moves the ratings of a player with 20 games by less than 0.01 points. Assumption."""
DROP = log(40)
"""Of the log-likelihood, at the end of an interval. Where all n games of two players were won, it is where winning all
of them has the probability 0.025: the exact bound of Clopper and Pearson (1934, Biometrika 26, 404-413)."""
_STEPS = 200
_LONGEST = 3.0
"""Of a Newton step, in units of ln strength, so that it cannot overshoot where the likelihood is flat."""
_HALVINGS = 40


def fit(
    wins_BKK: Floats,
    ties_BKK: Floats,
    same_KK: NDArray[np.bool_],
    *,
    loose: bool,
    pull_BK: Floats | None = None,
) -> tuple[Floats, Floats]:
    """[B, K] ln strengths and [B] v, where the games are likeliest, or log-likelihood + pull * x is largest.

    loose: with a weak prior.

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
        win_BKK, tie_BKK = chances(s_BKK, np.where(tied_B, x_BP[:, -1], -np.inf)[:, None, None])
        lead_BKK = win_BKK - win_BKK.transpose(0, 2, 1)
        gradient_BP = np.zeros_like(x_BP)
        seen_BKK = wins_BKK - wins_BKK.transpose(0, 2, 1)
        gradient_BP[:, :-1] = 0.5 * (seen_BKK - games_BKK * lead_BKK).sum(axis=2)
        gradient_BP[:, -1] = 0.5 * (ties_BKK - games_BKK * tie_BKK).sum(axis=(1, 2))
        gradient_BP -= prior * x_BP
        if pull_BK is not None:
            gradient_BP[:, :-1] += pull_BK
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


def chances(s: Floats, u: Floats) -> tuple[Floats, Floats]:
    """That the first of two wins, and that they tie. s: ln of how many times stronger the first is; u: ln v."""
    half = np.abs(s) / 2
    largest = np.maximum(half, u)
    up, down, tie = np.exp(s / 2 - largest), np.exp(-s / 2 - largest), np.exp(u - largest)
    total = up + down + tie
    return up / total, tie / total


def furthest(wins_KK: Floats, ties_KK: Floats, same_KK: NDArray[np.bool_], contrast_BK: Floats) -> Floats:
    """[B] how large `contrast * x` may be with a log-likelihood of at most `DROP` below its largest.

    These ends are of the profile likelihood, which can be told where there is no largest. A contrast sums to 0 over
    each league, and must be bounded by the games. Where `fit` ends with a given pull, the contrast is the largest of
    all places as likely, so the pull that leads to the drop is sought, by bisection of its logarithm.
    """
    size = len(contrast_BK)
    wins_BKK, ties_BKK = np.repeat(wins_KK[None], size, axis=0), np.repeat(ties_KK[None], size, axis=0)
    wanted = float(
        _log_likelihood(wins_BKK[:1], ties_BKK[:1], *fit(wins_BKK[:1], ties_BKK[:1], same_KK, loose=True))[0]
    )
    low_B, high_B = np.full(size, log(1e-4)), np.full(size, log(4 * (wins_KK.sum() + ties_KK.sum())))
    for _ in range(_HALVINGS):
        middle_B = (low_B + high_B) / 2
        x_BK, v_B = fit(wins_BKK, ties_BKK, same_KK, loose=True, pull_BK=np.exp(middle_B)[:, None] * contrast_BK)
        inside_B = _log_likelihood(wins_BKK, ties_BKK, x_BK, v_B) >= wanted - DROP
        low_B, high_B = np.where(inside_B, middle_B, low_B), np.where(inside_B, high_B, middle_B)
    x_BK, _ = fit(wins_BKK, ties_BKK, same_KK, loose=True, pull_BK=np.exp(low_B)[:, None] * contrast_BK)
    furthest_B: Floats = (contrast_BK * x_BK).sum(axis=1)
    return furthest_B


def _log_likelihood(wins_BKK: Floats, ties_BKK: Floats, x_BK: Floats, v_B: Floats) -> Floats:
    """[B]"""
    with np.errstate(divide="ignore"):
        u_B = np.log(v_B)
    win_BKK, tie_BKK = chances(x_BK[:, :, None] - x_BK[:, None, :], u_B[:, None, None])
    tiny = np.finfo(float).tiny
    told_BKK = wins_BKK * np.log(np.maximum(win_BKK, tiny)) + 0.5 * ties_BKK * np.log(np.maximum(tie_BKK, tiny))
    total_B: Floats = told_BKK.sum(axis=(1, 2))
    return total_B


def ties_are_bounded(wins_KK: Floats, ties_KK: Floats) -> bool:
    """Whether v has a largest likelihood, or there are no ties.

    v may grow by a factor e^w without making any game less likely if ln strengths can move by d, with d_i - d_j >= 2 w
    where i won against j and |d_i - d_j| <= 2 w where they tied. There are such d for w > 0 exactly if no cycle of
    these differences is negative (Floyd and Warshall's shortest paths).
    """
    if not ties_KK.any():
        return True
    paths_KK = np.where(wins_KK > 0, -2.0, np.where(ties_KK > 0, 2.0, np.inf))
    for k in range(len(paths_KK)):
        paths_KK = np.minimum(paths_KK, paths_KK[:, k, None] + paths_KK[None, k])
        if (paths_KK.diagonal() < 0).any():
            return True
    return False
