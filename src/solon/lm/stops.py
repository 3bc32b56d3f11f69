"""Where an answer ends: at an end token, or before the first stop string, wherever the tokenizer cuts it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>|\Z)", re.DOTALL)
"""Hidden reasoning before an answer."""
_THINK = "<think>"
_BROKEN = "\ufffd"
"""What decoding puts in place of bytes that are not UTF-8, e.g. the first half of a character."""


class TextOf:
    """Token ids to text, and the tokens that could complete a stop string. One per tokenizer."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, vocabulary: int):
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        named = {int(i): str(tokenizer.convert_ids_to_tokens(int(i))) for i in tokenizer.all_special_ids}
        added = {i: token.content for i, token in tokenizer.added_tokens_decoder.items() if token.special}
        self._special = named | added
        self._pieces: list[str] | None = None
        self.completing = lru_cache(maxsize=64)(self._completing)

    def decode(self, ids: Sequence[int]) -> str:
        """Text as written, special tokens included: a stop string may be one."""
        text = self._tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return str(text)

    def clean(self, ids: Sequence[int], text: str) -> str:
        """`text`, decoded from `ids`, without special tokens, half a last character and surrounding white space, and
        without the thought that it may begin with: what is shown, judged and learned from is the answer."""
        for token in {token for token in ids if token in self._special}:
            text = text.replace(self._special[token], "")
        return without_thought(text).rstrip(_BROKEN).strip()

    def certain(self, ids: Sequence[int], stop: Sequence[str]) -> str:
        """What `clean` will keep of a reply that goes on, whatever comes next: all but a last character that is half
        there, and an ending that may become a stop string."""
        return self.clean(ids, certain(self.decode(ids), stop))

    def _completing(self, stop: tuple[str, ...]) -> np.ndarray:
        """[V] bool: True selects every token after which the text could have come to contain a stop string.

        A stop string ends inside the token that completes it, so that token shows the string's last character, or
        bytes of it that are no character by themselves.
        """
        if self._pieces is None:
            self._pieces = [self.decode([token]) for token in range(self._vocabulary)]
        # Decoding a lone token may strip white space; such an ending cannot be told from the piece.
        if any(string[-1].isspace() for string in stop):
            return np.ones(self._vocabulary, dtype=bool)
        last = {string[-1] for string in stop} | {_BROKEN}
        return np.array([bool(last & set(piece)) for piece in self._pieces], dtype=bool)


def without_thought(text: str) -> str:
    """The text without the hidden reasoning that it may begin with, closed or not."""
    thought = _THOUGHT.match(text)
    return text[thought.end() if thought else 0 :]


def certain(text: str, stop: Sequence[str]) -> str:
    """What of a text that goes on belongs to the reply, whatever comes next."""
    text = text.rstrip(_BROKEN)
    if _THINK.startswith(text.lstrip()):  # it may turn out to be a thought
        return ""
    return text[: len(text) - _begun(text, stop)]


def _begun(text: str, stop: Sequence[str]) -> int:
    """Characters at the end of the text that a stop string may begin with.

    Example: 2 in "so\\n\\n" before the stop string "\\n\\nHuman:".
    """
    longest = max(map(len, stop), default=1) - 1
    lengths = range(min(longest, len(text)), 0, -1)
    return next((n for n in lengths if any(string.startswith(text[-n:]) for string in stop)), 0)


def first_stop(text: str, stop: Sequence[str]) -> int | None:
    """Where the earliest stop string in `text` begins, None without one."""
    found = [place for string in stop if (place := text.find(string)) >= 0]
    return min(found) if found else None
