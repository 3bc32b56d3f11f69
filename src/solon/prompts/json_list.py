"""The items of a JSON list that may be larger than memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from solon.prompts.faults import Unreadable

_PIECE = 2**16
_BLANK = re.compile(r"[ \t\r\n]*")
_LONGEST_WORD = 16
"""A literal, number or escape cut off at the end of what was read looks broken at most so far before that end."""


def items(start: bytes, stream: BinaryIO, line: int) -> Iterator[tuple[int, object]]:
    """Every item with the line it begins on.

    Args:
        start: what was read of the file, up to the end of the `line` that the list begins on.
        stream: the rest of it.

    Raises:
        Unreadable: where the list is broken.
    """
    text = _Text(start, stream, line)
    text.take("[")
    if text.next() != "]":
        text.item = 1
        yield text.line, text.value()
        while text.next() == ",":
            text.take(",")
            text.next()
            text.item += 1
            yield text.line, text.value()
    text.take("]")
    if text.next():
        raise Unreadable("text after the end of the JSON list", text.line)


class _Text:
    """What was read and not yet used, and the line and item of the list that it begins in."""

    def __init__(self, start: bytes, stream: BinaryIO, line: int):
        self.line, self.item = line, 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._stream, self._json = stream, json.JSONDecoder()
        self._text, self._at = "", 0
        self._append(start)

    def next(self) -> str:
        """The next character that is not blank; nothing at the end of the file."""
        while True:
            self._use(_BLANK.match(self._text, self._at).end())  # type: ignore[union-attr]
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def take(self, mark: str) -> None:
        """Goes past `mark`, which must come next."""
        if self.next() != mark:
            raise self._broken(f"expecting {mark!r}")
        self._use(self._at + 1)

    def value(self) -> object:
        """The next JSON value."""
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
                # A number at the very end may go on in the next piece.
                if end < len(self._text) or not self._more():
                    self._use(end)
                    return value
            except json.JSONDecodeError as error:
                cut_off = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _LONGEST_WORD
                if not cut_off or not self._more():
                    raise self._broken(error.msg) from error
            except (ValueError, RecursionError) as error:
                raise self._broken(str(error)) from error

    def _use(self, end: int) -> None:
        self.line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> bool:
        """Reads at least as much again as is waiting, so that a long value is not begun too often."""
        data = self._stream.read(max(_PIECE, len(self._text) - self._at))
        self._append(data)
        return bool(data)

    def _append(self, data: bytes) -> None:
        try:
            self._text, self._at = self._text[self._at :] + self._decoder.decode(data, final=not data), 0
        except UnicodeDecodeError as error:
            what = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
            raise Unreadable(what, self.line, "save the file as UTF-8") from error

    def _broken(self, what: str) -> Unreadable:
        hint = "the file must be one list of objects"
        return Unreadable(f"broken JSON list: {what}", self.line, hint, self.item or None)
