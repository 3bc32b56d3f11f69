"""How good the AI's labels are, measured against the ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Annotated, Any

from pydantic import Field

from solon.evals.bias import Better, Bias, PositionBias, length_bias, position_bias, self_preference
from solon.evals.calibration import Calibration, accuracy, brier, calibration
from solon.evals.conflicts import Principles, by_principle, principles
from solon.evals.reliability import PreferenceCalibration, log_odds, preference_calibration, tempered
from solon.evals.statistics import Mean, Rate
from solon.records import Comparison, Record

__all__ = ["Better", "Labels", "Scaling", "Truth", "label_quality"]

Truth = Callable[[Comparison], Better | None]
"""Passed in, so that this package never knows the world. None where there is no ground truth."""


class Scaling(Record):
    """What was made of the judge's probabilities, as `judge.temperature` and `judge.clamp` say."""

    temperature: float = 1.0
    clamp: tuple[float, float] | None = None


AS_SAID = Scaling()


class PrincipleLabels(Record):
    """Labels made under one principle."""

    n: int
    """Scored labels."""
    ties: int
    accuracy: Rate | None
    """On non-ties; null where there are none."""


_LEFT_OUT: Any = Field(exclude_if=lambda found: found is None)


class Labels(Record):
    """Quality of the AI's labels. `n` = scored + unscored; among the scored, ties are set apart."""

    n: int
    """Comparisons that the judge was asked for. With `judge.conflicts`, the pairs about which principles agree are not
    among them, so that `unscored` is a larger share of `n` than of what was asked."""
    unscored: int
    """Answers that could not be read as a verdict."""
    unscored_reasons: dict[str, int]
    ties: int
    """Scored pairs in which neither answer is truly better; 0 without ground truth."""
    unknown: int
    """Scored pairs without ground truth."""

    accuracy: Rate | None
    """Share of non-ties whose preferred answer is truly the better; a label of exactly 0.5 counts one half."""
    ece: float | None
    """Expected calibration error on non-ties, see `calibration`."""
    brier: Mean | None = None
    """Of the same labels: the mean of (p - 1)^2 where a is better and p^2 where b is; 0.25 knows nothing."""
    confidence: float | None
    """Mean of max(p, 1 - p) over scored labels."""
    tie_confidence: float | None
    """The same over ties, where 0.5 would be right."""
    calibration: Calibration | None
    reliability: PreferenceCalibration | None = None
    """The same by a bootstrap over prompts, of labels as they are and of labels at the temperature that fits best. Not
    of clamped ones: no temperature mends these."""
    clamped: Annotated[bool, Field(exclude_if=lambda clamped: not clamped)] = False
    """Some labels are at an end of `judge.clamp`, and what the judge said is not known. Else `ece`, `brier` and
    calibration are of labels before the clamp."""
    position: PositionBias | None
    length: Bias | None = None
    """For the longer answer."""
    self_preference: Annotated[Bias | None, _LEFT_OUT] = None
    """For the judge's own answers, where labels name judge and writers."""
    undecided: int = 0
    """Labels of exactly 0.5."""
    principles: dict[str, PrincipleLabels]
    """By the principle that a label is by; labels that are a mean over several count in none."""
    conflicts: Annotated[Principles | None, _LEFT_OUT] = None
    """Where labels are the mean over several principles. By precedence only pairs that those above pass on come to one,
    which says nothing of others."""

    @property
    def decided(self) -> int:
        """Scored pairs in which one answer is truly better."""
        return self.n - self.unscored - self.ties - self.unknown


Labelled = tuple[float, Better | None]
"""A label, the probability that `a` is better, and the truth."""


def _confidence(rows: Sequence[Labelled]) -> float | None:
    return sum(max(p, 1.0 - p) for p, _ in rows) / len(rows) if rows else None


def _decided(rows: Sequence[Labelled]) -> list[tuple[float, bool]]:
    """Labels of pairs in which one answer is truly better, and whether it is `a`."""
    return [(p, better == "a") for p, better in rows if better in ("a", "b")]


def _accuracy(rows: Sequence[Labelled]) -> Rate | None:
    return accuracy([(p - 0.5, a_is_better) for p, a_is_better in _decided(rows)])


def _ties(rows: Sequence[Labelled]) -> list[Labelled]:
    return [row for row in rows if row[1] == "tie"]


def unclamped(label: Comparison, scaling: Scaling) -> float | None:
    """The label before `judge.clamp`, by the row's verdicts where it may have been moved; None where there are none.

    Example: the verdicts 0.9 and 0.7 behind 0.6, of (0.4, 0.6): 0.8. Principles count alike: a row has no weights.
    """
    p = label.p_a_preferred
    if p is None or scaling.clamp is None or scaling.clamp[0] < p < scaling.clamp[1]:
        return p
    said = by_principle(label)
    heard = [said[label.principle_id]] if label.principle_id in said else list(said.values())
    return tempered(fmean(heard), scaling.temperature) if heard else None


def _calibrated(decided: Sequence[tuple[float, bool]], prompts: Sequence[str]) -> PreferenceCalibration | None:
    return preference_calibration([log_odds(p) for p, _ in decided], [float(y) for _, y in decided], prompts)


def label_quality(comparisons: Sequence[Comparison], truth: Truth | None, scaling: Scaling = AS_SAID) -> Labels:
    """Quality of the model's labels; comparisons by other raters (humans, the oracle) are left out, being the standard.

    Example: labels for a of 0.9, 0.3, 0.6 and one unreadable; truths a, a, tie: n 4, unscored 1, ties 1, accuracy 1/2.
    """
    own = [row for row in comparisons if row.rater == "model"]
    scored = [row for row in own if row.p_a_preferred is not None]
    truths = [truth(row) if truth else None for row in scored]
    rows = [(row.p_a_preferred or 0.0, better) for row, better in zip(scored, truths, strict=True)]
    said = [unclamped(row, scaling) for row in scored]
    clamped = None in said
    decided = _decided(rows if clamped else [(p or 0.0, better) for p, better in zip(said, truths, strict=True)])
    prompts = [row.prompt_id for row, better in zip(scored, truths, strict=True) if better in ("a", "b")]
    measured = calibration(decided) if decided else None
    by_principle: dict[str, list[Labelled]] = {}
    for comparison, row in zip(scored, rows, strict=True):
        if comparison.principle_id is not None:
            by_principle.setdefault(comparison.principle_id, []).append(row)
    reasons = Counter(row.unscored for row in own if row.unscored is not None)
    return Labels(
        n=len(own),
        unscored=len(own) - len(scored),
        unscored_reasons=dict(sorted(reasons.items())),
        ties=len(_ties(rows)),
        unknown=truths.count(None),
        accuracy=_accuracy(rows),
        ece=measured.ece if measured else None,
        brier=brier(decided, prompts),
        confidence=_confidence(rows),
        tie_confidence=_confidence(_ties(rows)),
        calibration=measured,
        reliability=None if clamped else _calibrated(decided, prompts),
        clamped=clamped,
        position=position_bias(scored, truths),
        length=length_bias(scored, truths),
        self_preference=self_preference(scored, truths),
        undecided=sum(row.outcome == "tie" for row in scored),
        conflicts=principles([row for row in scored if row.principle_id is None]),
        principles={
            name: PrincipleLabels(n=len(under), ties=len(_ties(under)), accuracy=_accuracy(under))
            for name, under in sorted(by_principle.items())
        },
    )
