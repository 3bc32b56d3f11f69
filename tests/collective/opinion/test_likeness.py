from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from solon.collective.opinion import likeness
from solon.collective.opinion.likeness import adjusted_rand_index, shared_counts


def test_worked_examples() -> None:
    assert doctest.testmod(likeness).failed == 0
    assert shared_counts(np.array([0, 0, 1]), np.array([2, 0, 2])).tolist() == [[1, 0, 1], [0, 0, 1]]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
@settings(deadline=None)
def test_the_index_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    ours, theirs = (np.array(labels) for labels in zip(*pairs, strict=True))
    assert adjusted_rand_index(ours, theirs) == pytest.approx(adjusted_rand_score(ours, theirs), abs=1e-12)
