from __future__ import annotations

from math import log

import pytest

from solon.evals.preference import ScoredPair, preference_quality, soft_label_loss


def test_worked_example() -> None:
    pairs = [
        ScoredPair(margin=1, better="a", fault="harmful", p_a_preferred=0.9),
        ScoredPair(margin=-1, better="a", fault="rude", p_a_preferred=0.2),
        ScoredPair(margin=1, better="tie", p_a_preferred=0.5),
    ]
    result = preference_quality(pairs)
    assert result is not None and result.accuracy is not None and result.label_accuracy is not None
    assert (result.n, result.ties, result.accuracy.rate) == (3, 1, 0.5)
    assert {name: fault.accuracy.rate for name, fault in result.by_fault.items()} == {"harmful": 1.0, "rude": 0.0}
    assert (result.label_n, result.label_accuracy.rate) == (2, 1.0)
    expected = (soft_label_loss(1, 0.9) + soft_label_loss(-1, 0.2) + soft_label_loss(1, 0.5)) / 3
    assert result.label_loss == pytest.approx(expected)


def test_equal_scores_count_one_half_and_nothing_is_nothing() -> None:
    result = preference_quality([ScoredPair(margin=0, better="b")])
    assert result is not None and result.accuracy is not None and result.accuracy.rate == 0.5
    assert result.label_loss is None
    assert preference_quality([]) is None


def test_soft_label_loss() -> None:
    assert soft_label_loss(0.0, 0.3) == pytest.approx(log(2))
    assert soft_label_loss(2.0, 1.0) == pytest.approx(0.1269, abs=5e-5)
    assert soft_label_loss(-2.0, 0.0) == pytest.approx(soft_label_loss(2.0, 1.0))
    assert soft_label_loss(800.0, 0.0) == pytest.approx(800.0)
