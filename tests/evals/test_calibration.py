from __future__ import annotations

import numpy as np
import pytest

from solon.evals.calibration import Calibration, calibration


def of(labels: list[float], truths: list[bool]) -> Calibration:
    return calibration(list(zip(labels, truths, strict=True)))


def test_worked_example() -> None:
    result = of([0.9, 0.9, 0.1, 0.6], [True, True, True, True])
    assert result.ece == pytest.approx(0.275)
    assert [(b.n, round(b.low, 2), round(b.high, 2)) for b in result.bins] == [(1, 0.6, 0.65), (3, 0.9, 0.95)]
    assert [b.accuracy.rate for b in result.bins] == pytest.approx([1.0, 2 / 3])


def test_swapping_answers_and_labels_changes_nothing() -> None:
    generator = np.random.default_rng(0)
    labels = [round(float(p), 2) for p in generator.random(300)]
    truths = [bool(x) for x in generator.random(300) < labels]
    swapped = of([1 - p for p in labels], [not a for a in truths])
    assert swapped.ece == pytest.approx(of(labels, truths).ece)


def test_calibrated_labels_have_little_error_and_extreme_ones_much() -> None:
    generator = np.random.default_rng(1)
    labels = [float(p) for p in generator.random(20_000)]
    truths = [bool(x) for x in generator.random(20_000) < labels]
    assert of(labels, truths).ece < 0.02
    hard = [0.99 if p > 0.5 else 0.01 for p in labels]
    assert of(hard, truths).ece == pytest.approx(0.24, abs=0.02)  # says 0.99, is right in 0.75


def test_undecided_labels_count_one_half() -> None:
    result = of([0.5, 0.5], [True, False])
    assert (result.ece, result.bins[0].accuracy.rate) == (0.0, 0.5)
    assert of([1.0], [True]).bins[0].high == 1.0


def test_refuses_no_labels() -> None:
    with pytest.raises(ValueError, match="no labels"):
        of([], [])
