"""What a generation function gives back: records, and an account of everything that is not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from solon.records import Prompt

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Made(Generic[T]):
    """Records of one batch, with the counts that belong into the stage's manifest."""

    records: tuple[T, ...]
    dropped: Counter[str] = field(default_factory=Counter)
    """Rows that gave no record, by reason."""
    noted: Counter[str] = field(default_factory=Counter)
    """Things that happened to rows that were kept, e.g. `unfinished`."""
    tokens: int = 0
    """Generated tokens."""


def joined(parts: Iterable[Made[T]]) -> Made[T]:
    """All of their records, in order, with one account."""
    records: list[T] = []
    dropped, noted, tokens = Counter[str](), Counter[str](), 0
    for part in parts:
        records.extend(part.records)
        dropped.update(part.dropped)
        noted.update(part.noted)
        tokens += part.tokens
    return Made(records=tuple(records), dropped=+dropped, noted=+noted, tokens=tokens)


def by_id(prompts: Sequence[Prompt]) -> dict[str, Prompt]:
    """Prompts by their id."""
    return {prompt.id: prompt for prompt in prompts}
