"""Figures and claims in words."""

from __future__ import annotations

from collections.abc import Sequence

from solon.evals.statistics import Interval
from solon.figures.figure import Claim, Figure, Held, Outcome, Unit, outcome

OUTCOMES: dict[Outcome, str] = {
    "agrees": "The testbed agrees with the paper.",
    "agrees in part": "The testbed agrees with the paper in part.",
    "does not agree": "The testbed does not agree with the paper.",
    "undecided": "The testbed does not decide it.",
    "not measured": "It was not measured.",
}
HELD: dict[Held, str] = {
    "agrees": "agrees",
    "disagrees": "does not agree",
    "undecided": "not decided",
    "not measured": "not measured",
}
EXPECTED = {"above": "above 0", "below": "below 0"}


def name(figure: Figure) -> str:
    """Example: `Figure 5. Harmlessness and helpfulness by the number of revisions`; those of ours have no number."""
    return f"Figure {figure.key}. {figure.title}" if figure.key.isdigit() else figure.title


def number(value: float, unit: Unit) -> str:
    """As it is told, without its sign.

    >>> number(-0.123, "points"), number(41.6, "Elo"), number(0.05, "nats")
    ('12.3', '42', '0.05')
    """
    size = abs(value)
    if unit in ("points", "share"):
        return f"{100 * size:.1f}"
    return f"{size:.0f}" if unit == "Elo" else f"{size:.2f}"


def signed(value: float, unit: Unit) -> str:
    """With a sign, unless it is a share or nothing is left after rounding."""
    told = number(value, unit)
    minus = "\u2212" if value < 0 and float(told) else ""
    return f"{minus}{told}" if unit == "share" or minus or not float(told) else f"+{told}"


def measured(found: Interval | None, unit: Unit) -> str:
    """E.g. `+12.3 points (+10.1 to +14.5)`."""
    if found is None:
        return "not measured"
    name = "%" if unit == "share" else f" {unit}"
    return f"{signed(found.value, unit)}{name} ({signed(found.low, unit)} to {signed(found.high, unit)})"


def expected(claim: Claim) -> str:
    """E.g. `above 0`, `within 5.0 points of 0`."""
    if claim.expected == "same":
        unit = "points" if claim.unit == "share" else claim.unit
        return f"within {number(claim.margin, claim.unit)} {unit} of 0"
    return EXPECTED[claim.expected]


def sentence(claims: Sequence[Claim]) -> str:
    """What was found, in one sentence."""
    if outcome(claims) == "not measured":
        return "Nothing was measured."
    told = "; ".join(f"{claim.what}: {measured(claim.found, claim.unit)}" for claim in claims)
    return f"{told[0].upper()}{told[1:]}."


def verdict(figure: Figure) -> str:
    """Whether the two agree, and on what not."""
    parts = [OUTCOMES[figure.outcome]]
    if figure.outcome == "not measured":
        return parts[0]
    for held, told in (("disagrees", "Not reproduced"), ("undecided", "Not decided"), ("not measured", "Not measured")):
        if own := [claim for claim in figure.claims if claim.held == held]:
            parts.append(f"{told}: {'; '.join(f'{one.what} (should be {expected(one)})' for one in own)}.")
    return " ".join(parts)
