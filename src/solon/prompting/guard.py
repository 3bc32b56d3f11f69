"""Text of people and models is data: nothing in it may be read as a mark of the format around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Normalize = Callable[[str], str]
_MARKUP = re.compile(r"</?think>|\S*[|\uff5c]\S*|(?!</?[a-z]+[1-6]?>$)[<\[]\S+[>\]]")
"""What no tokenizer adds as ordinary text, unlike line ends and HTML's `<table>`: `<|fim_prefix|>`, `<tool_call>`."""
_BYTES = tuple(f"<0x{byte:02X}>" for byte in range(256))
"""Bytes as some vocabularies name them. A Unigram model reads the name in a text as the byte: a line end, say."""
_PASSES = 9
"""After so many a mark is taken out instead: a broken one has become whole again."""


class Guard:
    """Breaks every mark in a text by a space before its last character: `<|end|>` becomes `<|end| >`. A mark of one
    character is taken out.

    A tokenizer that normalizes before it looks for its tokens could make a mark from characters that are none (a full
    width `<`), so what it would see is looked at as well.
    """

    def __init__(self, marks: Iterable[str], normalize: Normalize | None = None):
        self.marks = tuple(sorted({mark for mark in marks if mark.strip()}, key=lambda mark: (-len(mark), mark)))
        self._normalize = normalize
        self._written = any_of(self.marks)
        self._seen = any_of({*self.marks, *(_inside(normalize, mark) for mark in self.marks)}) if normalize else None

    def __call__(self, text: str) -> str:
        broken = _broken(self._written, text)
        if self._normalize is None or self._seen is None:
            return broken
        for _ in range(_PASSES):
            seen = self._normalize(broken)
            if self._seen.search(seen) is None:
                return broken
            broken = _broken(self._seen, seen)
        return self._seen.sub("", seen)

    def also(self, marks: Iterable[str]) -> Guard:
        """A guard that knows more marks."""
        return Guard((*self.marks, *marks), self._normalize)


def control_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[str, ...]:
    """Tokens that speak for the format: every special one, and other added ones that the template writes or that are
    markup. Tokenizers also add ordinary text, such as runs of line ends or HTML tags: those are not among them."""
    template = str(tokenizer.chat_template or "")
    added = [token for token in tokenizer.added_tokens_decoder.values() if token.content.strip()]
    return tuple(
        token.content
        for token in added
        if token.special or token.content in template or _MARKUP.fullmatch(token.content.strip())
    )


def byte_names(tokenizer: object) -> tuple[str, ...]:
    """Names of bytes that a text could hold and the tokenizer would read as the bytes themselves."""
    model = getattr(getattr(tokenizer, "backend_tokenizer", None), "model", None)
    return _BYTES if type(model).__name__ == "Unigram" else ()


def normalizer(tokenizer: object) -> Normalize | None:
    """What a tokenizer does to a text before it looks for its tokens; None if nothing."""
    found = getattr(getattr(tokenizer, "backend_tokenizer", None), "normalizer", None)
    return None if found is None else found.normalize_str


def any_of(marks: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these texts, the longest first; nothing if there are none."""
    return re.compile("|".join(map(re.escape, sorted(marks, key=lambda mark: (-len(mark), mark)))) or r"(?!)")


def _broken(pattern: re.Pattern[str], text: str) -> str:
    """Again and again: where one mark overlaps another, breaking the first may leave the second whole."""
    for _ in range(_PASSES):
        if pattern.search(text) is None:
            return text
        text = pattern.sub(lambda found: _apart(found[0]), text)
    while pattern.search(text):
        text = pattern.sub("", text)
    return text


def _apart(mark: str) -> str:
    body = mark.rstrip()
    return f"{body[:-1]} {body[-1]}{mark[len(body) :]}" if len(body.strip()) > 1 else " "


def _inside(normalize: Normalize, mark: str) -> str:
    """A mark as a normalizer leaves it in mid-text: some put a space before whatever comes first."""
    return normalize(f"x{mark}").removeprefix(normalize("x")) or mark
