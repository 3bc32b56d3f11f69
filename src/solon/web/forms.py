"""Forms as browsers send them, with a bound on their size."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from solon.web.troubles import files_too_large, too_large, unreadable

MOST_BYTES = 256 * 1024
"""Room for a few hundred seed statements in one field."""
MOST_FIELDS = 500
MOST_FILES = 20
MOST_UPLOADED = 64 * 2**20
"""Bytes of all files of a form. Room for the export of 10,000 people on 2,000 statements as an archive (20 MB)."""
KIND, FILES = "application/x-www-form-urlencoded", "multipart/form-data"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Upload:
    """A file of a form. Its name is whatever somebody called it."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """Fields in the order of the form. A field that is not there is empty."""

    fields: tuple[tuple[str, str], ...] = ()
    files: tuple[Upload, ...] = ()

    def __getitem__(self, name: str) -> str:
        """The last value of that name, without spaces at its ends."""
        return next((value.strip() for key, value in reversed(self.fields) if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value.strip() for key, value in self.fields if key == name]

    def line(self, name: str) -> str:
        """A value on one line."""
        return " ".join(self[name].split())

    def lines(self, name: str) -> list[str]:
        """Lines of a value that are not empty, each as `line` has it."""
        return [" ".join(line.split()) for line in self[name].splitlines() if line.strip()]

    def number(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number within bounds; None for anything else."""
        text = self[name]
        return int(text) if re.fullmatch("[0-9]{1,9}", text) and least <= int(text) <= most else None

    def ticked(self, name: str) -> bool:
        return bool(self[name])

    @property
    def written(self) -> list[str]:
        """Texts that somebody typed, to give back where they could not be saved."""
        return [value for key, value in self.fields if " " in value.strip() and key != "csrf"]


async def read_form(request: Request) -> Form:
    """Raises `Trouble` for a body that is too large, of another kind, or not UTF-8."""
    if _announced(request) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large(MOST_BYTES)
    if body and _kind(request) != KIND:
        raise unreadable()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", encoding="utf-8", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise unreadable() from None
    return Form(tuple((name, cleaned(value)) for name, value in pairs))


async def read_files(request: Request) -> Form:
    """A form with files, all of them in memory. Raises `Trouble` as `read_form` does."""
    if _announced(request) > MOST_UPLOADED:
        raise files_too_large(MOST_UPLOADED)
    if _kind(request) != FILES:
        raise unreadable()
    bounds = {"max_files": MOST_FILES, "max_fields": MOST_FIELDS, "max_part_size": MOST_BYTES}
    try:
        found = await MultiPartParser(request.headers, _bounded(request), **bounds).parse()
    except (MultiPartException, ValueError, KeyError):
        raise unreadable() from None
    parts = found.multi_items()
    files = [Upload(one.filename or "", await one.read()) for _, one in parts if isinstance(one, UploadFile)]
    await found.close()
    fields = tuple((cleaned(name), cleaned(one)) for name, one in parts if isinstance(one, str))
    return Form(fields, tuple(one for one in files if one.name or one.data))


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    read = 0
    async for chunk in request.stream():
        read += len(chunk)
        if read > MOST_UPLOADED:
            raise files_too_large(MOST_UPLOADED)
        yield chunk


def _announced(request: Request) -> float:
    """Bytes of the body, as its sender says."""
    text = request.headers.get("content-length", "0")
    return int(text) if text.isdecimal() and len(text) < 20 else math.inf


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def cleaned(value: str) -> str:
    """Line breaks as one character; control characters, and what no database keeps, as the sign for what cannot be
    shown."""
    return _CONTROL.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
