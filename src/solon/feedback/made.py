"""What a generation function gives back: records, and an account of everything that is not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, TypeVar

from solon.lm.protocols import ContextBound, OptionRequest, WriteRequest, Written
from solon.records import Prompt

TOO_LONG = "too long"
"""The row does not fit the model's context."""

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


def fits(model: object, requests: Sequence[WriteRequest | OptionRequest]) -> list[bool]:
    """For each request: do the prompt and all that may follow it stay within the model's context?

    A model that does not know its context takes all.
    """
    if not isinstance(model, ContextBound):
        return [True] * len(requests)
    count = cache(model.count_tokens)  # prompts and options repeat
    return [count(request.prompt) + _room(request, count) <= model.max_context for request in requests]


def _room(request: WriteRequest | OptionRequest, count: Callable[[str], int]) -> int:
    if isinstance(request, WriteRequest):
        return request.max_new_tokens
    return max(count(option) for option in request.options)


def note_ending(noted: Counter[str], what: str, written: Written) -> bool:
    """Counts an empty or cut-off text; True if it is neither."""
    if not written.text:
        noted[f"empty {what}"] += 1
    elif written.ended == "length":
        noted[f"unfinished {what}"] += 1
    else:
        return True
    return False


def by_id(prompts: Sequence[Prompt]) -> dict[str, Prompt]:
    """Prompts by their id."""
    return {prompt.id: prompt for prompt in prompts}
