"""The nearest centre of each point, against all distances: to the bit, ties included."""

from __future__ import annotations

import numpy as np
import pytest

from solon.collective.opinion.polis.clusters import BLOCK, Nearest


@pytest.mark.parametrize("points", [1, 7, BLOCK, 5 * BLOCK, 20 * BLOCK])
@pytest.mark.parametrize("digits", [0, 1, 9])
def test_as_by_all_distances(points: int, digits: int) -> None:
    """Rounded to whole numbers, many points lie on one another and in the middle between centres."""
    draws = np.random.default_rng(points)
    points_N2 = draws.normal(scale=3, size=(points, 2)).round(digits)
    nearest = Nearest(points_N2)
    for centres in (1, 2, 40):
        centres_K2 = draws.normal(scale=3, size=(centres, 2)).round(digits)
        squared_NK = np.square(points_N2[:, None] - centres_K2).sum(axis=2)
        later = centres - 1 - np.argmin(squared_NK[:, ::-1], axis=1)
        assert np.array_equal(nearest.of(centres_K2), later)
