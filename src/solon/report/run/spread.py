"""Some of many, so that a page stays small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def spread(rows: Sequence[T], most: int) -> list[T]:
    """At most `most` rows, evenly spaced, the first included. Example: 2 of a, b, c, d are a and c."""
    if len(rows) <= most:
        return list(rows)
    return [rows[k * len(rows) // most] for k in range(most)]
