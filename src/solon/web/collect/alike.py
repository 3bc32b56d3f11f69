"""Statements that say nearly the same, by the functions that propose merges."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from solon.collective.principles.topics import SIMILAR, Vectors, alike, vectors_of
from solon.web.db.tables import Statement
from solon.web.kept import Kept

MOST = 5
"""Shown beside a statement."""
REST = 60.0
"""Seconds in which new statements are not placed (assumption: placing 1,000 takes half a second)."""
VERY = 0.6
"""Likeness from which a writer is asked whether their thought is there already (assumption: well above `SIMILAR`)."""


def similar(text: str, others: Sequence[Statement], threshold: float = SIMILAR) -> list[Statement]:
    """The statements that are most like a text."""
    if not others:
        return []
    vectors = read_vectors((*(one.text for one in others), text))
    return [others[at] for at, _ in alike(vectors, len(others), threshold)[:MOST]]


class Placed(NamedTuple):
    """Statements of a conversation and where they lie."""

    numbers: list[int]
    vectors: Vectors


def beside(kept: Kept, statement: Statement, everybody: Sequence[Statement]) -> list[Statement]:
    """The statements that are most like one of them, rejected ones apart.

    Decisions change nothing of where statements lie; new ones are placed later, or when they are asked for. So of two
    that are alike, whoever decides on the later one sees the other.
    """
    placed = _placed(kept, everybody, rests=REST)
    if statement.number not in placed.numbers:
        placed = _placed(kept, everybody, rests=0.0)
    near = alike(placed.vectors, placed.numbers.index(statement.number))
    known = {one.number: one for one in everybody if one.moderated != -1}
    return [known[number] for at, _ in near if (number := placed.numbers[at]) in known][:MOST]


def _placed(kept: Kept, everybody: Sequence[Statement], *, rests: float) -> Placed:
    numbers, talk = [one.number for one in everybody], everybody[0].conversation_id

    def place() -> Placed:
        return Placed(numbers, vectors_of([one.text for one in everybody]))

    return kept.once("alike", talk, place, version=tuple(numbers), rests=rests)


@lru_cache(maxsize=16)
def read_vectors(texts: tuple[str, ...]) -> Vectors:
    """Of the last few questions: a page that is loaded again asks the same."""
    return vectors_of(texts)
