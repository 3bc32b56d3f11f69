"""Forms as browsers send them, with a bound on their size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from solon.web.troubles import too_large, unreadable

MOST_BYTES = 256 * 1024
"""Room for a few hundred seed statements in one field."""
MOST_FIELDS = 500
KIND = "application/x-www-form-urlencoded"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Form:
    """Fields in the order of the form. A field that is not there is empty."""

    fields: tuple[tuple[str, str], ...] = ()

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
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise too_large(MOST_BYTES)
    if body and request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise unreadable()
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", encoding="utf-8", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise unreadable() from None
    return Form(tuple((name, _clean(value)) for name, value in pairs))


def _clean(value: str) -> str:
    """Line breaks as one character, control characters as the sign for what cannot be shown."""
    return _CONTROL.sub("\ufffd", value.replace("\r\n", "\n").replace("\r", "\n"))
