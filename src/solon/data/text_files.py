"""JSONL, JSON lists and CSV, plain or compressed, read piece by piece."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from solon.data.faults import Malformed, Row, Unreadable, first_line, listed, optional_library

_GZIP, _XZ, _ZSTANDARD = b"\x1f\x8b", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
"""A Zstandard frame without data, which some compressors write first."""
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")
_PIECE = 2**16
_MAX_LINE = 64 * 2**20
"""Bytes in one line, far more than any dialogue has; a small compressed file may hold a line larger than memory."""
_MAX_FIELD = 16 * 2**20
"""Characters in one CSV field; Python's own limit, 2**17, is less than a long dialogue."""
_BLANK = re.compile(r"[ \t\r\n]*")
_LONGEST_WORD = 16
"""A literal, number or escape cut off at the end of what was read looks broken at most so far before that end."""


def rows(path: Path, *, csv: bool) -> Iterator[Row]:
    """Every row of a text file."""
    with open(path, "rb") as file:
        stream = _decompressed(file)
        start = stream.peek(4)[:4]
        if start.startswith(_UTF16_MARKS):
            raise Unreadable("the file is UTF-16", hint="save it as UTF-8")
        if start.startswith(_UTF8_MARK):
            stream.read(len(_UTF8_MARK))
        yield from _csv_rows(stream) if csv else _json_rows(stream)


def _decompressed(file: io.BufferedReader) -> io.BufferedReader:
    """The plain bytes. The first bytes tell how they are compressed."""
    start = file.peek(6)[:6]
    if start.startswith(_GZIP):
        return io.BufferedReader(_Compressed("gzip", gzip.GzipFile(fileobj=file)))
    if start.startswith(_XZ):
        return io.BufferedReader(_Compressed("xz", lzma.LZMAFile(file)))
    if start.startswith(_ZSTANDARD) or _SKIPPABLE.match(start):
        return io.BufferedReader(_Compressed("Zstandard", _zstandard(file)))
    return file


def _zstandard(file: io.BufferedReader) -> Any:
    """Arrow's reader: it tells a file that was cut off from one that ended."""
    try:
        import pyarrow
    except ImportError as error:
        raise optional_library("pyarrow") from error
    return pyarrow.CompressedInputStream(file, "zstd")


class _Compressed(io.RawIOBase):
    """Says what is wrong with a compressed file in one way for all kinds."""

    def __init__(self, kind: str, stream: Any):
        self._kind, self._stream = kind, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            return int(self._stream.readinto(buffer))
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            what = f"broken {self._kind} file: {first_line(error)}"
            raise Unreadable(what, hint="download or compress it again") from error


def _json_rows(stream: io.BufferedReader) -> Iterator[Row]:
    """One object a line, or the objects of one list. Only \\n ends a line: JSON strings may hold other line ends."""
    begins, first = _beginning(stream)
    if first.lstrip().startswith(b"["):
        for place, (number, item) in enumerate(_items(first, stream, begins), start=1):
            yield Row(line=number, item=place, read=partial(_object, "the list must hold JSON objects", item))
        return
    if not first.endswith(b"\n"):
        first += next(_lines(stream, begins), b"")
    if first.strip() == b"{":
        hint = "write one object per line, or a list of objects"
        raise Unreadable("the file holds one JSON object over several lines", begins, hint)
    _refuse_columns(first, begins)
    for number, line in enumerate(chain([first], _lines(stream, begins + 1)), start=begins):
        if line.strip():
            yield Row(line=number, read=partial(_parsed, line))


def _items(start: bytes, stream: io.BufferedReader, line: int) -> Iterator[tuple[int, object]]:
    """Every item with the line it begins on.

    `start`: what was read of the file, up to the end of the `line` that the list begins on; `stream`: the rest of it.
    Raises `Unreadable` where the list is broken.
    """
    text = _Text(start, stream, line)
    text.take("[")
    more = text.next() != "]"
    while more:
        text.item += 1
        yield text.line, text.value()
        if more := text.next() == ",":
            text.take(",")
            text.next()
    text.take("]")
    if text.next():
        raise Unreadable("text after the end of the JSON list", text.line)


class _Text:
    """What was read and not yet used, and the line and item of the list that it begins in."""

    def __init__(self, start: bytes, stream: io.BufferedReader, line: int):
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


def _beginning(stream: io.BufferedReader) -> tuple[int, bytes]:
    """The first line that is not blank and its number, or a piece of it: a whole list may stand on it."""
    number = 1
    while piece := stream.readline(_PIECE):
        if piece.strip():
            break
        number += piece.endswith(b"\n")
    return number, piece


def _lines(stream: io.BufferedReader, number: int) -> Iterator[bytes]:
    """The lines from `number` on. Raises `Unreadable` at one that is too long."""
    while line := stream.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise Unreadable(f"a line of more than {_MAX_LINE // 2**20} MiB", number, "end each row with a line end")
        yield line
        number += 1


def _parsed(line: bytes) -> dict[str, object]:
    try:
        value = json.loads(line.rstrip(b"\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _not_utf8(line[error.start]) from error
    except (ValueError, RecursionError) as error:
        raise Malformed(f"broken JSON: {error}", "each line must be one JSON object", reason="broken JSON") from error
    return _object("a line must be a JSON object", value)


def _object(rule: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Malformed(f"{rule}, not {_shape(value)}", reason="not a JSON object")
    return value


def _refuse_columns(line: bytes, number: int) -> None:
    """A table written column by column is one object, and no row."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    columns = value.values() if isinstance(value, dict) else ()
    if columns and all(_is_column(column) for column in columns):
        hint = 'write one object per row (in pandas: orient="records", lines=True)'
        raise Unreadable("the file holds one object of columns", number, hint)


def _is_column(value: object) -> bool:
    """A list of plain values, or pandas' object of row numbers."""
    if isinstance(value, list):
        return len(value) > 1 and not any(isinstance(item, dict) for item in value)
    return isinstance(value, dict) and bool(value) and all(key.isdecimal() for key in value)


def _csv_rows(stream: io.BufferedReader) -> Iterator[Row]:
    csv.field_size_limit(_MAX_FIELD)
    reader = csv.reader((line.decode("utf-8", "surrogateescape") for line in _lines(stream, 1)), strict=True)
    header: list[str] | None = None
    begins = 1
    try:
        for record in reader:
            line, begins = begins, reader.line_num + 1
            if not record or record == [""]:
                continue
            if header is None:
                header = [name.strip() for name in record]
                if len(set(header)) < len(header):
                    raise Unreadable(f"a column name appears twice: {listed(header)}", line)
            else:
                yield Row(line=line, read=partial(_fields, header, record))
    except csv.Error as error:
        raise Unreadable(f"broken CSV: {error}", begins) from error


def _fields(header: list[str], record: list[str]) -> dict[str, object]:
    if foreign := re.search("[\udc80-\udcff]", "".join(record)):
        raise _not_utf8(ord(foreign[0]) & 0xFF)
    if len(record) != len(header):
        hint = 'put text that holds commas or line ends in double quotes ("...")'
        what = f"{len(record)} fields where the header has {len(header)}"
        raise Malformed(what, hint, reason="another number of fields than the header")
    return dict(zip(header, record, strict=True))


def _not_utf8(byte: int) -> Malformed:
    return Malformed(f"not UTF-8: byte 0x{byte:02x}", "save the file as UTF-8", reason="not UTF-8")


def _shape(value: object) -> str:
    names = {list: "a list", dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
