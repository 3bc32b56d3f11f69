"""Counts and lists of ids as people say them, for messages."""

from __future__ import annotations

from collections.abc import Sequence


def many(count: int, one: str, several: str | None = None) -> str:
    """A count and its noun.

    >>> many(1, "vote"), many(1200, "vote"), many(2, "person", "people")
    ('1 vote', '1,200 votes', '2 people')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(ids: list[int]) -> str:
    """The least few of some ids.

    >>> listed([3, 1, 2]), listed(list(range(9)))
    ('1, 2, 3', '0, 1, 2, 3, 4, ...')
    """
    return first_of(sorted(ids), 5)


def first_of(items: Sequence[object], most: int) -> str:
    """The first few, and whether there are more."""
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")
