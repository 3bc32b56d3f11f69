"""What a generation function gives back: records, and an account of everything that is not among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from solon.lm.protocols import ContextBound, OptionRequest, WriteRequest, Written
from solon.records import Prompt

TOO_LONG = "too long"
"""The row does not fit the model's context."""

T = TypeVar("T")
S = TypeVar("S")
R = TypeVar("R", WriteRequest, OptionRequest)


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


def fits(model: object, request: WriteRequest | OptionRequest) -> bool:
    """Do the prompt and all that may follow it stay within the model's context?

    A model that does not know its context takes all.
    """
    if not isinstance(model, ContextBound):
        return True
    if isinstance(request, WriteRequest):
        room = request.max_new_tokens
    else:
        room = max(model.count_tokens(option, after=request.prompt) for option in request.options)
    return model.count_tokens(request.prompt) + room <= model.max_context


def fitting(model: object, build: Callable[[Sequence[S]], R], shots: Sequence[S], noted: Counter[str]) -> R | None:
    """The request with as many of the few-shot examples, from the first, as the context has room for.

    Examples left out are noted. None if the request does not even fit without any.
    """
    for used in range(len(shots), -1, -1):
        request = build(shots[:used])
        if fits(model, request):
            if used < len(shots):
                noted["few-shot examples left out"] += len(shots) - used
            return request
    return None


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
