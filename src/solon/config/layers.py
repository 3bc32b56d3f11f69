"""The values of run file, flags and `--set`, one upon the other, and where each was given."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import from_json

from solon.config.files import read_run_file
from solon.config.keys import field_of, is_model, path_key
from solon.config.paths import HUB
from solon.errors import Fault, Where
from solon.text import excerpt, without_secret
from solon.toml_text import leaves, parse_value, toml


class Layers:
    """The values of file, flags and `--set` merged, and where each came from."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}
        self.places: dict[str, Where] = {}
        self.faults: list[Fault] = []
        self.sources: list[str | Path] = []
        """Files and arguments in which anything was given; the last wins."""
        self.bad: set[str] = set()
        """Keys whose values cannot even be looked at."""
        self.notes: dict[str, str] = {}
        """By key."""

    def read(self, source: str | Path) -> None:
        """Take over the values of a run file and, before them, of those that it extends."""
        for file in read_run_file(source):
            self.places.update(file.lines())
            for key, value in file.values.items():
                self.put(key, value, file.where(key), file.folder)

    def override(self, text: str) -> None:
        key, equals, value = (part.strip() for part in text.partition("="))
        place = Where(f"--set {excerpt(_setting(text))}")
        if not key or not equals:
            self.faults.append(Fault("expected key=value", place, "e.g. --set rl.steps=10"))
            return
        for inner, one in leaves({key: parse_value(value)}):
            self.put(inner, one, place, Path.cwd())

    def put(self, key: str, value: Any, place: Where, base: Path) -> None:
        """Take over a value that was given at `place`. A relative path is taken from `base`."""
        field = field_of(key)
        try:
            usable = _usable(key, value, field, base)
        except (OSError, RuntimeError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else excerpt(str(error))
            quoted = f" is {excerpt(without_secret(key, toml(value)))}, which" if isinstance(value, str) else ""
            self.faults.append(Fault(f"{excerpt(key)}{quoted} cannot be used: {said}", place))
            self.bad.add(key)
            return
        if isinstance(value, str) and is_model(field):
            key = f"{key}.path"
        section = self._section(key, place)
        if section is None:
            return
        section[key.rpartition(".")[2]] = usable
        self.places[key] = place
        self.sources.append(place.path)
        self.notes.pop(key, None)
        if isinstance(value, str) and (kind := path_key(field)) and kind.two_readings(value, usable):
            self.notes[key] = f"{key} is the folder {usable}; for the model of that name on the Hub, write {HUB}{value}"

    def _section(self, key: str, place: Where) -> dict[str, Any] | None:
        """The values of the section that a key stands in; None, and a fault, if what is called so is no section."""
        section = self.data
        sections = key.split(".")[:-1]
        for depth, name in enumerate(sections, start=1):
            section = section.setdefault(name, {})
            if not isinstance(section, dict):
                what = f'unknown key "{key}": {".".join(sections[:depth])} is not a section'
                self.faults.append(Fault(what, place))
                return None
        return section

    def last_place(self, keys: Sequence[str]) -> Where | None:
        """Where the first of the keys, or a key inside it, was given, or one that was given later than it."""
        given = [self.places[one] for key in keys for one in self.places if one == key or one.startswith(f"{key}.")]
        return max(given, key=lambda place: self.sources.index(place.path), default=self.place(""))

    def place(self, key: str) -> Where | None:
        """Where a key, or else a key inside it, or else the section around it, was given."""
        if key not in self.places:
            key = next((given for given in self.places if given.startswith(f"{key}.")), key)
        while key not in self.places and key:
            key = key.rpartition(".")[0]
        return self.places.get(key)


def _usable(key: str, value: Any, field: FieldInfo | None, base: Path) -> Any:
    """`value`, paths made absolute. Raises what the file system, or a reader of JSON, says of one that cannot be."""
    nested = value
    for section in reversed(key.split(".")):
        nested = {section: nested}
    text = json.dumps(nested, ensure_ascii=False, default=str)
    if text.encode(errors="replace").decode() != text:
        raise ValueError("it is not UTF-8 text")
    from_json(text)  # which refuses what is nested too deep
    kind = path_key(field)
    if kind is None or not isinstance(value, str):
        return value
    if "\0" in value:
        raise ValueError("no path holds a zero character")
    return kind.place(value, base)


def _setting(text: str) -> str:
    """A `--set` argument without any secret."""
    name, equals, value = text.partition("=")
    if equals:
        return f"{name}={without_secret(name, value)}"
    return text if re.fullmatch(r"[\w.-]*", text) else without_secret(text, text)
