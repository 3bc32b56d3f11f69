"""Numbers and dates as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from solon.collective.phrases import many as many

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(label: int) -> str:
    """How a group is called on the page: 0 is A, 25 Z, 26 A2."""
    return LETTERS[label % 26] + (str(label // 26 + 1) if label >= 26 else "")


def spelt(count: int, one: str, more: str | None = None) -> str:
    """As `many`, small numbers as words. Example: 2 is "two groups"."""
    word = _NUMBERS[count] if count < len(_NUMBERS) else f"{count:,}"
    return f"{word} {one if count == 1 else more or one + 's'}"


def whole(share: float) -> str:
    """A share in whole percent that never says all or none of what is not. Examples: 0.996 is "over 99%", 1 "100%"."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 < share < 1:
        return "over 99%"
    return f"{100 * share:.0f}%"


def between(low: float, high: float) -> str:
    """Example: 0.876 and 0.953 are "88 to 95"."""
    return f"{100 * low:.0f} to {100 * high:.0f}"


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Example: "A, B and C"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def day(milliseconds: int) -> str:
    """Example: 1568332800000 is "13 September 2019" (UTC). The hour is nobody's business."""
    moment = datetime.fromtimestamp(milliseconds / 1000, tz=UTC)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def span(first: int, last: int) -> str:
    """Examples: "on 3 May 2024", "between 3 May and 2 June 2024", "between 30 December 2023 and 2 June 2024"."""
    start, end = day(first), day(last)
    if start == end:
        return f"on {start}"
    if start[-4:] == end[-4:]:
        start = start[:-5]
    return f"between {start} and {end}"
