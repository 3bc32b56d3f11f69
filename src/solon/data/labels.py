"""What a row says of its answers: who wrote them; whether one is good; of two, which is better, who says so, how
surely, or how good each is."""

from __future__ import annotations

import math
import reprlib
from dataclasses import dataclass, replace
from decimal import Decimal

from solon.config.prompts import ReadingSection
from solon.data.faults import Fields, Malformed
from solon.data.turns import clean

_SCORES = {
    "chosen": (("score_chosen", "score_rejected"), ("chosen_score", "rejected_score")),
    "a": (("score_a", "score_b"),),
}
_MODELS = {"chosen": ("model_chosen", "model_rejected"), "a": ("model_a", "model_b")}
_BETTER = {
    **dict.fromkeys(("a", "0", "0.0", "model_a"), 1.0),
    **dict.fromkeys(("b", "1", "1.0", "model_b"), 0.0),
    **dict.fromkeys(("tie", "tie (bothbad)"), 0.5),
}
_TRUTH = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
"""Truth values as JSON, CSV and tables have them, as text in lower case."""


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """Who wrote the answers, and who compared them in which sitting; None where the row does not say."""

    model: str | None = None
    """Of one answer, or of the first of two."""
    other_model: str | None = None
    """Of the second."""
    rater_id: str | None = None
    session: str | None = None

    def swap(self) -> Attribution:
        """Of the two answers in the other order."""
        return replace(self, model=self.other_model, other_model=self.model)


UNKNOWN = Attribution()


def attribution(fields: Fields, first: str | None) -> Attribution:
    """Of two answers, the first of which is `chosen` or `a`, or of one (None). Raises `Malformed`."""
    if first is None:
        return Attribution(model=_name(fields, "model"))
    one, two = _MODELS[first]
    return Attribution(
        model=_name(fields, one),
        other_model=_name(fields, two),
        rater_id=_name(fields, "rater_id"),
        session=_name(fields, "session"),
    )


def is_good(fields: Fields) -> bool:
    """Whether the row's one answer is worth imitating: its `label`, or True if it has none. Raises `Malformed`."""
    label = fields.get("label", "")
    if label == "":
        return True
    good = _TRUTH.get(str(label).strip().lower())
    if good is None:
        what = f'"label" is {reprlib.repr(label)}'
        raise Malformed(what, "use true or false, or 1 or 0", reason="unknown label of an answer")
    return good


def p_first(fields: Fields, first: str, how: ReadingSection) -> float:
    """The probability that the `first` answer (`chosen` or `a`) is the better one.

    With `scores = "label"` it is 1 / (1 + exp(-(s1 - s2) / T)) for scores s1 and s2 and the temperature T. Else it is
    what the row says, and what is called `chosen` without more was chosen. Raises `Malformed`.
    """
    if how.scores == "label":
        return _logistic(_margin(fields, first) / how.score_temperature)
    if first == "chosen":
        return _probability(fields, "p_chosen") if "p_chosen" in fields else 1.0
    return _said(fields)


def _said(fields: Fields) -> float:
    if "p_a_preferred" in fields:
        return _probability(fields, "p_a_preferred")
    if "better" not in fields:
        raise Malformed('nothing says which of "a" and "b" is better', 'give "better" or "p_a_preferred"')
    better = str(fields["better"]).strip().lower()
    if isinstance(fields["better"], bool) or better not in _BETTER:
        what = f'"better" is {reprlib.repr(fields["better"])}'
        raise Malformed(what, "use a, b or tie; or 0 for a, 1 for b", reason="unknown answer named as better")
    return _BETTER[better]


def _margin(fields: Fields, first: str) -> float:
    for one, two in _SCORES[first]:
        if one in fields or two in fields:
            return _number(fields, one) - _number(fields, two)
    one, two = _SCORES[first][0]
    raise Malformed(f'no "{one}" and "{two}"', 'they are needed by prompts.scores = "label"')


def _name(fields: Fields, column: str) -> str | None:
    """Text or a whole number; empty text is none."""
    value = fields.get(column, "")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Malformed(f'"{column}" must be a name', "write it as text", reason=f'"{column}" is no name')
    return clean(str(value)) or None


def _probability(fields: Fields, name: str) -> float:
    p = _number(fields, name)
    if not 0.0 <= p <= 1.0:
        raise Malformed(f'"{name}" is {p:g}', "a probability between 0 and 1", reason="no probability")
    return p


def _number(fields: Fields, name: str) -> float:
    """A finite number, also written as text, as CSV has them."""
    value = fields.get(name)
    try:
        known = isinstance(value, int | float | Decimal) or (isinstance(value, str) and "_" not in value)
        number = float(value) if known else math.nan  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Malformed(f'"{name}" must be a finite number', reason=f'"{name}" is no finite number')
    return number


def _logistic(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    small = math.exp(-abs(x))
    return 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)
