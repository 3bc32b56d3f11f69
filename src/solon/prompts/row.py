"""One row of any file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Row:
    """One JSON object, CSV record or row of a table."""

    line: int
    """Where it begins, counted from 1: a line of a text file, a row of a table."""
    item: int | None = None
    """Its number in a JSON list, counted from 1: several items may begin on one line."""
    columns: tuple[str, ...] | None = None
    """Every name that a table has, where `read` gives only some of them."""
    read: Callable[[], dict[str, object]]
    """Its fields. Raises `Malformed`."""
