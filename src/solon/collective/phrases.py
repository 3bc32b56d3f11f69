"""Counts and lists of ids as people say them, for messages."""

from __future__ import annotations


def many(count: int, one: str, several: str | None = None) -> str:
    """A count and its noun.

    >>> many(1, "vote"), many(1200, "vote"), many(2, "person", "people")
    ('1 vote', '1,200 votes', '2 people')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def listed(items: list[int], most: int = 5) -> str:
    """The first few of some ids or lines.

    >>> listed([3, 1, 2]), listed(list(range(9)))
    ('1, 2, 3', '0, 1, 2, 3, 4, ...')
    """
    items = sorted(items)
    return ", ".join(map(str, items[:most])) + (", ..." if len(items) > most else "")
