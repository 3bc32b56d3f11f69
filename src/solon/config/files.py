"""Run files: found, read with those that they extend, and written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from solon.config.keys import EXTENDS
from solon.config.paths import below
from solon.config.run import RunConfig
from solon.config.section import Section
from solon.errors import ConfigError, Where
from solon.places import Places, toml_places
from solon.text import did_you_mean, excerpt
from solon.toml_text import leaves, toml, toml_lines

_SHIPPED = Path(__file__).parents[1] / "configs"
_ONE_OTHER = "name one other run file, or leave the key out"


def shipped_run_files() -> list[str]:
    """Names of the run files in `configs/`."""
    return sorted(path.stem for path in _SHIPPED.glob("*.toml"))


def run_file_text(source: str | Path, named: Where | None = None) -> str:
    """The text of a run file given by path or by the name of a shipped one.

    Args:
        named: where the run file that extends it names it; None: on the command line.

    Raises:
        ConfigError: if there is none, or it is not UTF-8 text.
    """
    name = excerpt(str(source))
    try:
        return _path(source).read_text(encoding="utf-8-sig")  # editors on Windows begin files with a byte-order mark
    except UnicodeDecodeError as error:
        raise ConfigError("not UTF-8 text", where=Where(name)) from error
    except (OSError, ValueError) as error:  # a ValueError: there is a zero character in the path
        said = error.strerror if isinstance(error, OSError) else str(error)
        what = f"{EXTENDS} {toml(name)}, which cannot be read" if named else "cannot read the run file"
        shipped = shipped_run_files()
        hint = (
            did_you_mean(Path(name).name, shipped) or f"give a .toml file, or one of the shipped: {', '.join(shipped)}"
        )
        raise ConfigError(f"{what}: {said}", where=named or Where(name), hint=hint) from error


def _path(source: str | Path) -> Path:
    return _SHIPPED / f"{source}.toml" if str(source) in shipped_run_files() else Path(source)


@dataclass(frozen=True, kw_only=True)
class RunFile:
    """What one run file says by itself."""

    source: str | Path
    """Its path, or the name of a shipped one."""
    folder: Path
    """What its relative paths are taken from."""
    values: dict[str, Any]
    """By dotted key."""
    places: Places

    def where(self, key: str) -> Where:
        """Where the value of a dotted key stands."""
        return Where(self.source, self.places.line(tuple(key.split("."))))

    def lines(self) -> Iterator[tuple[str, Where]]:
        """Each dotted key and table that has a line of its own, with that line; the file itself has the key ""."""
        yield "", Where(self.source)
        yield from ((".".join(map(str, path)), Where(self.source, line)) for path, line in self.places.lines.items())


def read_run_file(source: str | Path, named: Where | None = None, above: tuple[Path, ...] = ()) -> Iterator[RunFile]:
    """A run file, after those that it extends. `named` says where those `above`, which extend it, name it."""
    text = run_file_text(source, named)
    path = _path(source).resolve()
    if path in above:
        raise ConfigError("extends itself", where=named, hint=_ONE_OTHER)
    values = _values(text, source)
    extended = values.pop(EXTENDS, None)
    file = RunFile(source=source, folder=_path(source).parent, values=values, places=toml_places(text))
    if extended is not None:
        where = file.where(EXTENDS)
        yield from read_run_file(_extended(extended, where), where, (*above, path))
    yield file


def _values(text: str, source: str | Path) -> dict[str, Any]:
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


def _extended(value: Any, where: Where) -> str | Path:
    """The run file that the key `extends` at `where` names: a shipped one, or an absolute path."""
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{EXTENDS} is {toml(value)}", where=where, hint=_ONE_OTHER)
    if value in shipped_run_files():
        return value
    try:
        return below(Path(where.path).parent, value)
    except RuntimeError as error:  # a home folder of nobody
        raise ConfigError(f"{EXTENDS} {toml(value)}, which cannot be read: {error}", where=where) from error


def dump_toml(config: RunConfig) -> str:
    """The run file that loads as `config`, with every key; keys without a value (None) are left out."""
    return "\n".join(_blocks(config))


def _blocks(section: Section, name: str = "") -> Iterator[str]:
    """The text of a section, then of those inside it. Sections without a value are left out."""
    inner = dict(_inner(section))
    lines = toml_lines((key, value) for key, value in section if key not in {one.split(".")[0] for one in inner})
    if lines:
        yield f"[{name}]\n{lines}" if name else lines
    for key, value in inner.items():
        yield from _blocks(value, f"{name}.{key}" if name else key)


def _inner(section: Section) -> Iterator[tuple[str, Section]]:
    """Sections inside one, by their keys below it."""
    for key, value in section:
        if isinstance(value, Section):
            yield key, value
        elif isinstance(value, dict):
            yield from ((f"{key}.{name}", one) for name, one in value.items() if isinstance(one, Section))
