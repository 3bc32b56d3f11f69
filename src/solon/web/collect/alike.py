"""Statements that say nearly the same, by the functions that propose merges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from solon.collective.principles.topics import SIMILAR, Vectors, alike, vectors_of
from solon.web.db.tables import Statement

MOST = 5
"""Shown beside a statement."""
VERY = 0.6
"""Likeness from which a writer is asked whether their thought is there already (assumption: well above `SIMILAR`)."""


def similar(text: str, others: Sequence[Statement], threshold: float = SIMILAR) -> list[Statement]:
    """The statements that are most like a text."""
    if not others:
        return []
    vectors = read_vectors((*(one.text for one in others), text))
    return [others[at] for at, _ in alike(vectors, len(others), threshold)[:MOST]]


@lru_cache(maxsize=16)
def read_vectors(texts: tuple[str, ...]) -> Vectors:
    """Of the last few questions: a page that is loaded again asks the same."""
    return vectors_of(texts)
