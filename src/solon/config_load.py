"""From a run file, flags and `--set` to a `RunConfig`, with every fault found and placed; and back to TOML.

Relative paths in a run file are taken from that file's folder, others from the working directory, and are made absolute
where they exist, so that `solon resume` works from anywhere.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from solon.config import EMBEDDED, RunConfig
from solon.config_rules import contradictions
from solon.errors import ConfigError, Fault, Where
from solon.places import toml_places
from solon.text import did_you_mean
from solon.toml_text import leaves, parse_value, toml, toml_lines

_PATHS = {
    "models.assistant": {EMBEDDED},
    "models.base": {EMBEDDED},
    "models.judge": {EMBEDDED},
    "prompts.source": {"world"},
    "prompts.helpful": set[str](),
    "constitution.path": set[str](),
    "constitution.few_shots": set[str](),
}
"""Keys that may hold a path, and the names among their values that never are one."""

_FEW_SHOTS = "few_shots.json"
"""What `solon constitution import` puts beside a constitution."""

_SHOWN = 100
"""Characters of a value quoted in a fault."""

_HUB = "hf:"
"""What the name of a data set on the Hub, or of a folder that looks like one, begins with."""

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text in quotes",
    "bool_type": "true or false",
    "date_type": "a date such as 2026-01-01",
    "date_parsing": "a date such as 2026-01-01",
    "date_from_datetime_parsing": "a date such as 2026-01-01",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a section",
    "model_attributes_type": "a section",
}
"""pydantic's error types, as what was expected instead."""


def shipped_run_files() -> list[str]:
    """Names of the run files in `configs/`."""
    return sorted(Path(entry.name).stem for entry in _shipped().iterdir() if entry.name.endswith(".toml"))


def load_run_config(
    source: str | Path | None = None, overrides: Sequence[str] = (), flags: Mapping[str, Any] | None = None
) -> RunConfig:
    """The resolved run file.

    Args:
        source: a .toml file or the name of a shipped one; None: the defaults, which are the world's.
        overrides: `--set` arguments such as `rl.steps=10`, the last of them wins. The value is TOML, else plain text.
        flags: dotted key to value, from options such as `--model`; None values are left out. They win over the file,
            and `--set` wins over them.

    Raises:
        ConfigError: with every fault that was found: unknown keys, wrong types, values out of bounds, contradictions.
    """
    layers = _Layers()
    if source is not None:
        layers.read(source)
    for key, value in (flags or {}).items():
        if value is not None:
            layers.put(key, str(value) if isinstance(value, Path) else value, Where("command line"), Path.cwd())
    for text in overrides:
        layers.override(text)
    config, faults = _validated(layers)
    if config is None or faults:
        raise ConfigError(sorted(faults, key=_reading_order))
    return _with_few_shots(config)


def dump_toml(config: RunConfig) -> str:
    """The run file that loads as `config`, with every key; keys without a value (None) are left out."""
    plain = [(key, value) for key, value in config if not isinstance(value, BaseModel)]
    sections = [(key, value) for key, value in config if isinstance(value, BaseModel)]
    blocks = [toml_lines(plain), *(f"[{key}]\n{toml_lines(section)}" for key, section in sections)]
    return "\n".join(blocks)


def run_file_text(source: str | Path) -> str:
    """The text of a run file given by path or by the name of a shipped one.

    Raises:
        ConfigError: if there is none, or it is not UTF-8 text.
    """
    name = str(source)
    path = Path(source)
    if path.suffix != ".toml" and name in shipped_run_files() and not path.exists():
        return (_shipped() / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("not UTF-8 text", where=Where(path)) from error
    except OSError as error:
        near = did_you_mean(name, shipped_run_files())
        hint = near or f"give a .toml file, or one of the shipped: {', '.join(shipped_run_files())}"
        raise ConfigError(f"cannot read the run file: {error.strerror}", where=Where(name), hint=hint) from error


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
        self.bad: set[str] = set()
        """Keys whose values cannot even be looked at."""

    def read(self, source: str | Path) -> None:
        text = run_file_text(source)
        try:
            entries = list(leaves(tomllib.loads(text)))
        except RecursionError as error:
            raise ConfigError("lists or tables within each other too deep to read", where=Where(source)) from error
        except ValueError as error:  # TOMLDecodeError is one, and so is what is said of a number of 5,000 digits
            found = re.search(r"\(at line (\d+), column \d+\)", str(error))
            what = str(error).replace(found[0], "").strip() if found else str(error)
            place = Where(source, int(found[1])) if found else Where(source)
            raise ConfigError(f"broken TOML: {what}", where=place) from error
        places = toml_places(text)
        lines = {".".join(map(str, path)): line for path, line in places.lines.items()}
        self.places = {"": Where(source)} | {key: Where(source, line) for key, line in lines.items()}
        for key, value in entries:
            self.put(key, value, Where(source, places.line(tuple(key.split(".")))), Path(source).parent)

    def override(self, text: str) -> None:
        key, equals, value = (part.strip() for part in text.partition("="))
        place = Where(f"--set {_shown(text)}")
        if not key or not equals:
            self.faults.append(Fault("expected key=value", place, "e.g. --set rl.steps=10"))
            return
        self.put(key, parse_value(value), place, Path.cwd())

    def put(self, key: str, value: Any, place: Where, base: Path) -> None:
        *sections, name = key.split(".")
        try:
            value = _usable(key, value, base)
        except (OSError, RuntimeError, ValueError) as error:
            said = error.strerror if isinstance(error, OSError) else _shown(str(error))
            given = f" is {_shown(toml(value))}, which" if isinstance(value, str) else ""
            self.faults.append(Fault(f"{_shown(key)}{given} cannot be used: {said}", place))
            self.bad.add(key)
            return
        target = self.data
        for depth, section in enumerate(sections, start=1):
            inner = target.setdefault(section, {})
            if not isinstance(inner, dict):
                self.faults.append(Fault(f'unknown key "{key}": {".".join(sections[:depth])} is not a section', place))
                return
            target = inner
        target[name] = value
        self.places[key] = place

    def place(self, key: str) -> Where | None:
        """Where a key, or else the section around it, was given."""
        while key not in self.places and key:
            key = key.rpartition(".")[0]
        return self.places.get(key)


def _validated(layers: _Layers) -> tuple[RunConfig | None, list[Fault]]:
    """The config if every value passes by itself, and all faults. Contradictions among the sound keys are found too."""
    faults = list(layers.faults)
    bad = set(layers.bad)
    data = layers.data
    config: RunConfig | None = None
    try:
        config = _validate(data)
    except ValidationError as error:
        for details in error.errors():
            key = ".".join(str(part) for part in details["loc"] if isinstance(part, str))
            if key not in bad:
                faults.append(_fault(key, details, layers.place(key)))
            bad.add(key)
        data = _without(data, bad)
    sound = config or _validate(data)
    for found in contradictions(sound):
        if not any(key in bad or key.split(".")[0] in bad for key in found.keys):
            place = next((layers.place(key) for key in found.keys if key in layers.places), layers.place(""))
            faults.append(Fault(found.what, place, found.hint))
    return config, faults


def _reading_order(fault: Fault) -> tuple[bool, int]:
    """By line in the file, then what was said on the command line."""
    line = fault.where.line if fault.where else None
    return line is None, line or 0


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
        return Fault(f'unknown key "{key}"', place, _near_key(key))
    given = _shown(toml(error["input"]))
    expected = _EXPECTED.get(error["type"])
    context = error.get("ctx", {})
    hint = None
    if error["type"] == "literal_error":
        expected = context["expected"].replace("'", '"')
        hint = did_you_mean(str(error["input"]), re.findall(r'"([^"]+)"', expected))
    elif error["type"] in ("too_long", "missing") and key == "judge.clamp":
        expected = "two numbers"
    elif expected is None:
        expected = error["msg"].removeprefix("Input should be ")
    if place is not None and str(place).startswith("--set") and error["type"] == "string_type":
        hint = f"quote it: --set '{key}=\"{given}\"'"
    return Fault(f"{key} is {given}; expected {expected}", place, hint)


def _near_key(key: str) -> str | None:
    """A hint towards the key that was probably meant."""
    known = known_keys()
    section, _, name = key.rpartition(".")
    siblings = [k.rpartition(".")[2] for k in known if k.rpartition(".")[0] == section]
    if near := did_you_mean(name, siblings):
        return near
    if elsewhere := [k for k in known if k.rpartition(".")[2] == name]:
        return f"did you mean {' or '.join(f'`{k}`' for k in elsewhere)}?"
    return f"known here: {', '.join(siblings)}" if siblings else did_you_mean(key, known)


def known_keys() -> list[str]:
    """Every dotted key of a run file, sections included."""
    keys: list[str] = []
    for name, field in RunConfig.model_fields.items():
        keys.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys.extend(f"{name}.{inner}" for inner in field.annotation.model_fields)
    return keys


def _usable(key: str, value: Any, base: Path) -> Any:
    """`value`, paths made absolute. Raises what the file system, or a reader of JSON, says of one that cannot be."""
    nested = value
    for section in reversed(key.split(".")):
        nested = {section: nested}
    text = json.dumps(nested, ensure_ascii=False, default=str)
    if text.encode(errors="replace").decode() != text:
        raise ValueError("it is not UTF-8 text")
    from_json(text)  # which refuses what is nested too deep
    if not isinstance(value, str) or key not in _PATHS or value in _PATHS[key]:
        return value
    if "\0" in value:
        raise ValueError("no path holds a zero character")
    return _anchored(value, base, names=_shipped_constitutions() if key == "constitution.path" else ())


def _shown(text: str) -> str:
    """`text` as it can be printed: not too long, and without half characters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _anchored(value: str, base: Path, *, names: Collection[str]) -> str:
    """An absolute path if `value` exists below `base` or begins as only paths do. The `names` never are paths."""
    if not value or value in names:
        return value
    if value.startswith(_HUB):
        return _HUB + _anchored(value.removeprefix(_HUB), base, names=())
    path = (base / Path(value).expanduser()).absolute()
    return str(path) if path.exists() or value.startswith(("./", "../", "~")) else value


def _shipped() -> Traversable:
    return resources.files("solon") / "configs"


def _shipped_constitutions() -> set[str]:
    return {Path(entry.name).stem for entry in (resources.files("solon") / "constitution" / "library").iterdir()}
