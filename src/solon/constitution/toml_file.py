"""A TOML file while it is read: its values, the line of each, and what is wrong with it.

`tomllib` does not say where a value stands, so `places` scans for it; a library that keeps positions would be a
dependency for the sake of line numbers alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from solon.constitution.faults import Faults
from solon.errors import ConstitutionError, UserError, Where
from solon.places import toml_places

_Kind = TypeVar("_Kind", bound=BaseModel)


class TomlFile(Faults):
    """The file at `path`, whose text is `text`, and its faults. Raises `error` if it is not TOML.

    `what` it is meant to be, with its article.
    """

    def __init__(self, path: Path, text: str, *, what: str, error: type[UserError] = ConstitutionError) -> None:
        super().__init__(path, error)
        self.text = text.replace("\r\n", "\n")
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

    def fault(self, what: str, *key: str | int, hint: str | None = None) -> None:
        """Notes a fault at the line of a value, or of the nearest one around it."""
        self.add(what, self.places.line(key), hint)

    def checked(
        self, kind: type[_Kind], table: Mapping[str, Any], *key: str | int, label: str = "", known: Iterable[str] = ()
    ) -> _Kind | None:
        """The table at `key` as a record; None, and its faults noted, if it is none. `known`: its keys, if others."""
        try:
            return kind.model_validate(table)
        except ValidationError as refused:
            self.add_refused(refused, self.places, under=key, label=label, known=known or kind.model_fields)
            return None
