"""Reading a file that a person wrote, and the words in which its faults are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from solon.errors import ConstitutionError, Where


def kind(value: Any) -> str:
    """What a JSON or TOML value is called in a message."""
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "nothing" if value is None else "a date or time")


def read_text(path: Path, *, hint: str | None = None) -> str:
    """The text of a UTF-8 file, with unix line ends and without a byte order mark.

    Raises ConstitutionError: no such file (with `hint`), unreadable, or not UTF-8 (with the line).
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConstitutionError("there is no such file", where=Where(path), hint=hint) from None
    except OSError as error:
        raise ConstitutionError(
            f"cannot be read: {error.strerror or error}", where=Where(path), hint="check the path and its permissions"
        ) from None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConstitutionError(
            f"is not UTF-8 text: byte 0x{data[error.start]:02x} cannot be read",
            where=Where(path, line),
            hint="save the file as UTF-8",
        ) from None


def parse_json(path: Path, text: str) -> Any:
    """The value of a JSON text. Raises ConstitutionError with the line where it breaks."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ConstitutionError(
            f"is not JSON: {error.msg}", where=Where(path, error.lineno), hint="mend the file or fetch it again"
        ) from None
    except RecursionError:
        raise ConstitutionError("is nested too deeply", where=Where(path), hint="fetch the file again") from None
