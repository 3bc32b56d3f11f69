"""From a run file, flags and `--set` to a `RunConfig`, with every fault found and placed; and back to TOML.

Relative paths in a run file are taken from that file's folder, others from the working directory, and are made absolute
where they exist, so that `solon resume` works from anywhere.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, from_json

from solon.config import WORLD, ModelSection, RunConfig
from solon.config_paths import HUB, PathKey, below
from solon.config_rules import REFUSED, RENAMED, contradictions
from solon.config_section import Section, marks, subsection
from solon.errors import ConfigError, Fault, Where
from solon.places import toml_places
from solon.text import did_you_mean, without_secret
from solon.toml_text import leaves, parse_value, toml, toml_lines

_SHIPPED = Path(__file__).parent / "configs"

_FEW_SHOTS = "few_shots.json"
"""The few-shot examples that `solon constitution import` writes next to a constitution."""

_EXTENDS = "extends"
"""The key of a run file that names another, whose values hold where it gives none."""

_ONE_OTHER = "name one other run file, or leave the key out"

_SOURCE = "prompts.source"

_SHOWN = 100
"""Characters of a value quoted in a fault."""

_EXPECTED = {
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a table",
    **dict.fromkeys(("int_type", "int_from_float"), "a whole number"),
    **dict.fromkeys(("model_type", "model_attributes_type"), "a section"),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing"), "a date such as 2026-01-01"),
}
"""pydantic's error types, as what was expected instead."""


def shipped_run_files() -> list[str]:
    """Names of the run files in `configs/`."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def load_run_config(
    source: str | Path | None = None,
    overrides: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    *,
    tell: Callable[[str], None] | None = None,
    sections: Collection[str] = RunConfig.model_fields,
) -> RunConfig:
    """The resolved run file.

    Args:
        source: a .toml file or the name of a shipped one; None: the world run, or the defaults alone if
            `prompts.source` is given in another way.
        overrides: `--set` arguments such as `rl.steps=10`, the last of them wins. The value is TOML, else plain text.
        flags: dotted key to value, from options such as `--model`; None values are left out. They win over the file,
            and `--set` wins over them.
        tell: is told where a value has two readings, and which holds.
        sections: what the caller reads of it; contradictions with other sections are none.

    Raises:
        ConfigError: with every fault that was found: unknown keys, wrong types, values out of bounds, contradictions.
    """
    layers = _Layers()
    given = {key: str(value) if isinstance(value, Path) else value for key, value in (flags or {}).items()}
    if (
        source is None
        and given.get(_SOURCE) is None
        and _SOURCE not in (one.split("=")[0].strip() for one in overrides)
    ):
        source = WORLD
    if source is not None:
        layers.read(source)
    for key, value in given.items():
        if value is not None:
            layers.put(key, value, Where("command line"), Path.cwd())
    for text in overrides:
        layers.override(text)
    config = _with_few_shots(_validated(layers, sections))
    if tell:
        for note in layers.notes.values():
            tell(note)
    return config


def dump_toml(config: RunConfig) -> str:
    """The run file that loads as `config`, with every key; keys without a value (None) are left out."""
    return "\n".join(_blocks(config))


def _blocks(section: Section, name: str = "") -> Iterator[str]:
    """The text of a section, then of those inside it. Sections without a value are left out."""
    lines = toml_lines((key, value) for key, value in section if not isinstance(value, Section))
    if lines:
        yield f"[{name}]\n{lines}" if name else lines
    for key, value in section:
        if isinstance(value, Section):
            yield from _blocks(value, f"{name}.{key}" if name else key)


def run_file_text(source: str | Path, named: Where | None = None) -> str:
    """The text of a run file given by path or by the name of a shipped one.

    Args:
        named: where the run file that extends it names it; None: on the command line.

    Raises:
        ConfigError: if there is none, or it is not UTF-8 text.
    """
    name = _shown(str(source))
    try:
        return _run_file(source).read_text(
            encoding="utf-8-sig"
        )  # editors on Windows begin files with a byte-order mark
    except UnicodeDecodeError as error:
        raise ConfigError("not UTF-8 text", where=Where(name)) from error
    except (OSError, ValueError) as error:  # a ValueError: there is a zero character in the path
        said = error.strerror if isinstance(error, OSError) else str(error)
        what = f"{_EXTENDS} {toml(name)}, which cannot be read" if named else "cannot read the run file"
        shipped = shipped_run_files()
        hint = (
            did_you_mean(Path(name).name, shipped) or f"give a .toml file, or one of the shipped: {', '.join(shipped)}"
        )
        raise ConfigError(f"{what}: {said}", where=named or Where(name), hint=hint) from error


def _run_file(source: str | Path) -> Path:
    return _SHIPPED / f"{source}.toml" if str(source) in shipped_run_files() else Path(source)


def _with_few_shots(config: RunConfig) -> RunConfig:
    """A constitution given as a folder brings its few-shot examples, unless `few_shots` names others or, "", none."""
    section = config.constitution
    folder = Path(section.path)
    if section.few_shots is not None or not folder.is_absolute() or not (folder / _FEW_SHOTS).is_file():
        return config
    return config.model_copy(update={"constitution": section.model_copy(update={"few_shots": str(folder)})})


class _Layers:
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

    def read(self, source: str | Path, named: Where | None = None, below: tuple[Path, ...] = ()) -> None:
        """Take over the values of a run file and, before them, of the one that it extends.

        `named` says where those `below`, which extend it, name it.
        """
        text = run_file_text(source, named)
        path = _run_file(source).resolve()
        if path in below:
            raise ConfigError("extends itself", where=named, hint=_ONE_OTHER)
        entries, places = _entries(text, source), toml_places(text)
        extended = entries.pop(_EXTENDS, None)
        if extended is not None:
            named = Where(source, places.line((_EXTENDS,)))
            self.read(_extended(extended, named), named, (*below, path))
        lines = {".".join(map(str, keys)): line for keys, line in places.lines.items()}
        self.places |= {"": Where(source)} | {key: Where(source, line) for key, line in lines.items()}
        for key, value in entries.items():
            self.put(key, value, Where(source, places.line(tuple(key.split(".")))), _run_file(source).parent)

    def override(self, text: str) -> None:
        key, equals, value = (part.strip() for part in text.partition("="))
        place = Where(f"--set {_shown(_setting(text))}")
        if not key or not equals:
            self.faults.append(Fault("expected key=value", place, "e.g. --set rl.steps=10"))
            return
        for inner, one in leaves({key: parse_value(value)}):
            self.put(inner, one, place, Path.cwd())

    def put(self, key: str, value: Any, place: Where, base: Path) -> None:
        field, given = _field(key), value
        try:
            value = _usable(key, value, field, base)
        except (OSError, RuntimeError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else _shown(str(error))
            given = f" is {_shown(without_secret(key, toml(value)))}, which" if isinstance(value, str) else ""
            self.faults.append(Fault(f"{_shown(key)}{given} cannot be used: {said}", place))
            self.bad.add(key)
            return
        if isinstance(value, str) and field and subsection(field) is ModelSection:
            key = f"{key}.path"
        *sections, name = key.split(".")
        target = self.data
        for depth, section in enumerate(sections, start=1):
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                self.faults.append(Fault(f'unknown key "{key}": {".".join(sections[:depth])} is not a section', place))
                return
            target = inner
        target[name] = value
        self.places[key] = place
        self.sources.append(place.path)
        self.notes.pop(key, None)
        if isinstance(given, str) and (kind := _path_key(field)) and kind.two_readings(given, value):
            self.notes[key] = f"{key} is the folder {value}; for the model of that name on the Hub, write {HUB}{given}"

    def last_place(self, keys: Sequence[str]) -> Where | None:
        """Where the first of the keys was given, or one that was given later than it."""
        given = [self.places[key] for key in keys if key in self.places]
        return max(given, key=lambda place: self.sources.index(place.path), default=self.place(""))

    def place(self, key: str) -> Where | None:
        """Where a key, or else a key inside it, or else the section around it, was given."""
        if key not in self.places:
            key = next((given for given in self.places if given.startswith(f"{key}.")), key)
        while key not in self.places and key:
            key = key.rpartition(".")[0]
        return self.places.get(key)


def _extended(value: Any, where: Where) -> str | Path:
    """The run file that the key `extends` at `where` names: a shipped one, or an absolute path."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{_EXTENDS} is {toml(value)}", where=where, hint=_ONE_OTHER)
    if value in shipped_run_files():
        return value
    try:
        return below(Path(where.path).parent, value)
    except RuntimeError as error:  # a home folder of nobody
        raise ConfigError(f"{_EXTENDS} {toml(value)}, which cannot be read: {error}", where=where) from error


def _entries(text: str, source: str | Path) -> dict[str, Any]:
    """The values of a run file by their dotted keys."""
    try:
        return dict(leaves(tomllib.loads(text)))
    except RecursionError as error:
        raise ConfigError("lists or tables are nested too deep to read", where=Where(source)) from error
    except ValueError as error:  # a TOMLDecodeError, or one about a number of 5,000 digits
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        what = str(error).replace(found[0], "").strip() if found else str(error)
        place = Where(source, int(found[1])) if found else Where(source)
        raise ConfigError(f"broken TOML: {what}", where=place) from error


def _field(key: str) -> FieldInfo | None:
    """What the key of a run file holds; None if there is no such key."""
    section: type[Section] | None = RunConfig
    field = None
    for name in key.split("."):
        field = section.model_fields.get(name) if section else None
        section = subsection(field) if field else None
    return field


def _validated(layers: _Layers, sections: Collection[str]) -> RunConfig:
    """The config. Raises `ConfigError` with the faults of all values, and contradictions, within these sections, among
    those without fault."""
    faults, bad = layers.faults, layers.bad
    try:
        config = _validate(layers.data)
    except ValidationError as error:
        for details in error.errors():
            key = ".".join(str(part) for part in details["loc"] if isinstance(part, str))
            if key not in bad:
                faults.append(_fault(key, details, layers.place(key)))
            bad.add(key)
        config = _validate(_without(layers.data, bad))
    faults.extend(
        Fault(found.what, layers.last_place(found.keys), found.hint)
        for found in contradictions(config)
        if {key.split(".")[0] for key in found.keys} <= set(sections) - bad and bad.isdisjoint(found.keys)
    )
    if faults:  # by line in the file, then those of the command line
        raise ConfigError(sorted(faults, key=lambda fault: (fault.where and fault.where.line) or float("inf")))
    return config


def _validate(data: Mapping[str, Any]) -> RunConfig:
    # By way of JSON: strict there means no "5" for 5, yet lists for tuples and 1 for 1.0.
    return RunConfig.model_validate_json(json.dumps(data, default=str), strict=True)


def _without(data: Mapping[str, Any], bad: Iterable[str], prefix: str = "") -> dict[str, Any]:
    kept = {key: value for key, value in data.items() if prefix + key not in bad}
    return {
        key: _without(value, bad, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in kept.items()
    }


def _fault(key: str, error: ErrorDetails, place: Where | None) -> Fault:
    if error["type"] == "extra_forbidden":
        return Fault(f'unknown key "{key}"', place, _near_key(key, in_file=bool(place and place.line)))
    given = _shown(without_secret(key, toml(error["input"])))
    expected, field = _EXPECTED.get(error["type"]), _field(key)
    context = error.get("ctx", {})
    hint = None
    if error["type"] == "literal_error":
        expected = context["expected"].replace("'", '"')
        hint = did_you_mean(str(error["input"]), re.findall(r'"([^"]+)"', expected))
    elif expected == "a section" and field and subsection(field) is ModelSection:
        expected = "a model in quotes, or a section"
    elif error["type"] in ("too_long", "missing") and key == "judge.clamp":
        expected = "two numbers"
    elif expected is None:
        expected = error["msg"].removeprefix("Input should be ")
    if place is not None and str(place).startswith("--set") and error["type"] == "string_type":
        hint = f"quote it: --set '{key}=\"{given}\"'"
    return Fault(f"{key} is {given}; expected {expected}", place, hint)


def _near_key(key: str, *, in_file: bool) -> str | None:
    """A hint towards the key that was probably meant."""
    if key == _EXTENDS:
        return "only a run file can extend another"
    if key in RENAMED:
        return f"it is now `{RENAMED[key]}`"
    if key in REFUSED:
        return REFUSED[key]
    known = [*([_EXTENDS] if in_file else []), *known_keys()]
    section, _, name = key.rpartition(".")
    siblings = [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == section]
    if near := did_you_mean(name, siblings):
        return near
    if elsewhere := [k for k in known if k.rpartition(".")[2] == name]:
        return f"did you mean {' or '.join(f'`{k}`' for k in elsewhere)}?"
    return f"known here: {', '.join(siblings)}" if siblings else did_you_mean(key, known)


def known_keys(section: type[Section] = RunConfig, prefix: str = "") -> Iterator[str]:
    """Every dotted key of a run file, sections included."""
    for name, field in section.model_fields.items():
        yield prefix + name
        if inner := subsection(field):
            yield from known_keys(inner, f"{prefix}{name}.")


def _usable(key: str, value: Any, field: FieldInfo | None, base: Path) -> Any:
    """`value`, paths made absolute. Raises what the file system, or a reader of JSON, says of one that cannot be."""
    nested = value
    for section in reversed(key.split(".")):
        nested = {section: nested}
    text = json.dumps(nested, ensure_ascii=False, default=str)
    if text.encode(errors="replace").decode() != text:
        raise ValueError("it is not UTF-8 text")
    from_json(text)  # which refuses what is nested too deep
    kind = _path_key(field)
    if kind is None or not isinstance(value, str):
        return value
    if "\0" in value:
        raise ValueError("no path holds a zero character")
    return kind.place(value, base)


def _path_key(field: FieldInfo | None) -> PathKey | None:
    """The mark of a key that holds a path; a section of a model, in short, is its path."""
    if field and subsection(field) is ModelSection:
        field = ModelSection.model_fields["path"]
    return next((mark for mark in marks(field) if isinstance(mark, PathKey)), None) if field else None


def _setting(text: str) -> str:
    """A `--set` argument without any secret."""
    name, equals, value = text.partition("=")
    if equals:
        return f"{name}={without_secret(name, value)}"
    return text if re.fullmatch(r"[\w.-]*", text) else without_secret(text, text)


def _shown(text: str) -> str:
    """`text` as it can be printed: not too long, and without half characters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
