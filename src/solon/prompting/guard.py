"""Text of people and models is data: nothing in it may be read as a mark of the format around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol


class AddedTokens(Protocol):
    """What is used of a Hugging Face tokenizer."""

    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]: ...
    @property
    def chat_template(self) -> Any: ...


class Guard:
    """Breaks every mark in a text by a space before its last character: `<|end|>` becomes `<|end| >`.

    A tokenizer that normalizes before it looks for its tokens could make a mark from characters that are none (a full
    width `<`), so what it would see is looked at as well.
    """

    def __init__(self, marks: Iterable[str], normalize: Callable[[str], str] | None = None):
        longest_first = sorted({mark for mark in marks if len(mark) > 1}, key=lambda mark: (-len(mark), mark))
        self.marks = tuple(longest_first)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self._normalize = normalize

    def __call__(self, text: str) -> str:
        broken = self._broken(text)
        if self._normalize is None or self._pattern.search(seen := self._normalize(broken)) is None:
            return broken
        return self._broken(seen)

    def _broken(self, text: str) -> str:
        """Again and again: where one mark overlaps another, breaking the first may leave the second whole."""
        while self._pattern.search(text):
            text = self._pattern.sub(lambda found: f"{found[0][:-1]} {found[0][-1]}", text)
        return text


def control_tokens(tokenizer: AddedTokens) -> tuple[str, ...]:
    """Tokens that speak for the format: every special one, and any other added one that the chat template writes.

    Tokenizers also add tokens that are ordinary text, such as runs of line ends or HTML tags: those are not among them.
    """
    template = str(tokenizer.chat_template or "")
    added = tokenizer.added_tokens_decoder.values()
    return tuple(
        token.content for token in added if token.content.strip() and (token.special or token.content in template)
    )


def normalizer(tokenizer: object) -> Callable[[str], str] | None:
    """What a tokenizer does to a text before it looks for its tokens; None if nothing."""
    found = getattr(getattr(tokenizer, "backend_tokenizer", None), "normalizer", None)
    return None if found is None else found.normalize_str
