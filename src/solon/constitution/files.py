"""A file that a person wrote: its values, the line of each, and all that is wrong with it, reported together.

`json` and `tomllib` do not say where a value stands, so `places` scans for it; a library that keeps positions would be
a dependency for the sake of line numbers alone.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from solon.artifacts.atomic import write_atomic
from solon.errors import ConstitutionError, Fault, UserError, Where
from solon.places import Places, json_places, toml_places
from solon.text import did_you_mean, listed

_Kind = TypeVar("_Kind", bound=BaseModel)


def kind(value: Any) -> str:
    """What a JSON or TOML value is called in a message."""
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "nothing" if value is None else "a date or time")


def read_text(path: Path, *, hint: str | None = None) -> str:
    """The text of a UTF-8 file, with unix line ends, whichever it has, and without a byte order mark.

    Raises ConstitutionError: no such file (with `hint`), unreadable, or not UTF-8 (with the line).
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ConstitutionError("there is no such file", where=Where(path), hint=hint) from None
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise ConstitutionError(what, where=Where(path), hint="check the path and its permissions") from None
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 text: byte 0x{data[error.start]:02x} cannot be read"
        where = Where(path, data.count(b"\n", 0, error.start) + 1)
        raise ConstitutionError(what, where=where, hint="save the file as UTF-8") from None


def write_texts(texts: Mapping[Path, str], *, force: bool = False) -> None:
    """Writes each file whole or not at all, and none of them if there is one already and `force` is off.

    Raises ConstitutionError if so, or if a folder cannot be written.
    """
    taken = [path for path in texts if path.exists()]
    if taken and not force:
        hint = "choose another name, or add --force to overwrite it"
        raise ConstitutionError([Fault("exists already", Where(path), hint) for path in taken])
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, text.encode("utf-8"))
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            hint = "choose a folder that you may write to, on a disk with room"
            raise ConstitutionError(what, where=Where(path), hint=hint) from None


class SourceFile:
    """The file at `path` and its faults, which are raised together as an `error`."""

    places = Places(lines={})
    """Where the values of the file stand."""

    def __init__(self, path: Path, error: type[UserError] = ConstitutionError) -> None:
        self.path = path
        self._error = error
        self._found: list[Fault] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, what: str, line: int | None = None, hint: str | None = None) -> None:
        """Notes a fault of a line, or of the whole file."""
        self._found.append(Fault(what, Where(self.path, line), hint))

    def fault(self, what: str, *key: str | int, hint: str | None = None) -> None:
        """Notes a fault at the line of a value, or of the nearest one around it."""
        self.add(what, self.places.line(key), hint)

    def checked(
        self,
        kind: type[_Kind],
        table: Mapping[str, Any],
        *key: str | int,
        label: str = "",
        known: Collection[str] | None = None,
        hint: str | None = None,
    ) -> _Kind | None:
        """The table at `key` as a record; None, and a fault for each field that pydantic refuses, if it is none.

        `label` names the record, `known` are its keys, if others. What concerns a record as a whole (its
        `model_validator`) is left to the caller, who can say more about it.
        """
        try:
            return kind.model_validate(table)
        except ValidationError as refused:
            details = refused.errors(include_url=False)
        known = kind.model_fields if known is None else known
        lead = f"{label}: " if label else ""
        for detail in details:
            if not detail["loc"]:
                continue
            name = ".".join(map(str, detail["loc"]))
            if detail["type"] == "extra_forbidden":
                keys = f"known keys are {listed(known)}" if known else "remove it"
                near = did_you_mean(str(detail["loc"][-1]), known)
                self.fault(f"{lead}unknown key `{name}`", *key, *detail["loc"], hint=near or keys)
            else:
                self.fault(f"{lead}`{name}` {_in_words(detail)}", *key, *detail["loc"], hint=hint)
        return None

    def raise_any(self) -> None:
        """Raises the error if anything was found: in the order of the lines, faults of the whole file first."""
        if self._found:
            raise self._error(sorted(self._found, key=lambda fault: (fault.where and fault.where.line) or 0))


class JsonFile(SourceFile):
    """A JSON file. Raises ConstitutionError if it is missing (with the hint `missing`) or is not JSON."""

    def __init__(self, path: Path, *, missing: str | None = None) -> None:
        super().__init__(path)
        text = read_text(path, hint=missing)
        try:
            self.data: Any = json.loads(text)
        except json.JSONDecodeError as error:
            where, hint = Where(path, error.lineno), "repair the file or fetch it again"
            raise ConstitutionError(f"is not JSON: {error.msg}", where=where, hint=hint) from None
        except RecursionError:
            raise ConstitutionError("is nested too deeply", where=Where(path), hint="fetch the file again") from None
        self.places = json_places(text)
        for key, line in self.places.repeated.items():
            # What stands inside a second value is not counted again.
            if not any(key[:depth] in self.places.repeated for depth in range(len(key))):
                self.add(f"the key `{key[-1]}` is given twice in one object", line, "keep one of them")


class TomlFile(SourceFile):
    """The TOML file at `path`, whose text is `text`. Raises `error` if it is not TOML.

    `what` it is meant to be, with its article.
    """

    def __init__(self, path: Path, text: str, *, what: str, error: type[UserError] = ConstitutionError) -> None:
        super().__init__(path, error)
        self.text = text
        try:
            self.data: dict[str, Any] = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as broken:
            found = re.search(r" \(at line (\d+), column \d+\)$", str(broken))
            line = int(found[1]) if found else self.text.count("\n") + 1
            why = re.sub(r" \(at [^)]*\)$", "", str(broken))
            hint = (
                "look at this line and the one before it: a missing quote, bracket, comma or `=`, or a key given twice"
            )
            raise error(f"is not TOML: {why[:1].lower()}{why[1:]}", where=Where(path, line), hint=hint) from None
        except RecursionError:
            raise error(f"is nested too deeply to be {what}", where=Where(path)) from None
        self.places = toml_places(self.text)


def _in_words(detail: ErrorDetails) -> str:
    expected = {
        "string_type": "text",
        "tuple_type": "a list",
        "float_type": "a number",
        "model_type": "a table",
        "dict_type": "a table",
    }.get(detail["type"])
    if expected:
        return f"must be {expected}, not {kind(detail['input'])}"
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"] in ("greater_than", "finite_number"):
        return f"must be a finite number greater than 0, not {detail['input']}"
    return f"cannot be used: {detail['msg'][0].lower()}{detail['msg'][1:]}"
