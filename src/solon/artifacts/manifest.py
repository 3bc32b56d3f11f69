"""`manifest.json`: what a finished stage was made from, what it made, and what that took."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from solon.artifacts.hashes import sha256_file
from solon.config.paths import EMBEDDED_MODELS
from solon.records import Record

FORMAT: Literal[4] = 4
"""Version of the run folder's layout."""
MANIFEST = "manifest.json"
PARTIAL = ".partial"
"""What only the work in progress needs."""

_HASH = re.compile(r'"([0-9a-f]{8})[0-9a-f]{56}"')
"""A sha256 as JSON."""

_PACKAGES = (
    *("torch", "transformers", "tokenizers", "safetensors", "numpy", "pydantic"),
    *("jinja2", "pyarrow", "datasets"),
)
"""Those that compute, render chat templates or read prompts."""

ALWAYS = ("solon", "solon_source", "python")

_NO_SOURCE = ("report", "figures", *(f"embedded/{folder}" for folder in EMBEDDED_MODELS.values()))
"""Folders of the package that no stage reads, or by the hash of each file."""


class Counts(Record):
    """Where the rows went."""

    model_config = ConfigDict(populate_by_name=True)

    rows_in: int = Field(0, alias="in")
    """Items the stage was given."""
    rows_out: int = Field(0, alias="out")
    dropped: dict[str, int] = Field(default_factory=dict)
    """What it left out, by reason."""
    other: dict[str, int] = Field(default_factory=dict)
    """Whatever else it counted, by name."""


@dataclass(kw_only=True)
class Tally:
    """Counters being counted. `counted` holds `in`, `out` and any other name."""

    counted: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, counts: Counts) -> Tally:
        names = Counter({"in": counts.rows_in, "out": counts.rows_out, **counts.other})
        return cls(counted=names, dropped=Counter(counts.dropped))

    def __add__(self, other: Tally) -> Tally:
        """What both counted; a count of 0 stays one."""
        both = Tally(counted=Counter(self.counted), dropped=Counter(self.dropped))
        both.counted.update(other.counted)
        both.dropped.update(other.dropped)
        return both

    def reset(self, other: Tally) -> None:
        """Forget, and take over what another tally counted."""
        self.counted, self.dropped = Counter(other.counted), Counter(other.dropped)

    def counts(self) -> Counts:
        """The record, its names sorted so that the order of counting leaves no trace."""
        other = {name: n for name, n in sorted(self.counted.items()) if name not in ("in", "out")}
        return Counts(
            rows_in=self.counted["in"],
            rows_out=self.counted["out"],
            dropped=dict(sorted(self.dropped.items())),
            other=other,
        )


class OutputFile(Record):
    """One file of a stage."""

    sha256: str
    bytes: int
    rows: int | None = None
    """Lines, for JSONL; None for other files."""


class Timing(Record):
    """What the stage took, repeated work included. The only part of a manifest that differs between equal runs on equal
    machines."""

    seconds: float = 0.0
    """Wall time inside the stage, over all resumes; a kill loses what passed since the last commit."""
    tokens: int = 0
    """Tokens generated or trained on."""
    requests: dict[str, int] = Field(default_factory=dict, exclude_if=lambda counts: not counts)
    """To servers: how many were sent, how many failed by what, which tokens they cost."""
    flops: float = Field(0.0, exclude_if=lambda flops: not flops)
    """Floating-point operations of the products that a training computed."""
    peak_flops: float | None = Field(None, exclude_if=lambda rate: rate is None)
    """Those that the device does in a second, as measured or published."""


class Header(Record):
    """What a stage is a function of. A half-done stage continues only under an equal header."""

    format: Literal[4] = FORMAT
    stage: str = Field(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+)*$")
    """Its folder below the run's."""
    seed: int
    config: JsonValue
    """The stage's part of the resolved run file."""
    inputs: dict[str, str]
    """Name to sha256 of what went in: another stage's fingerprint, or a file's hash."""

    def header(self) -> dict[str, JsonValue]:
        """As JSON, without what a manifest adds."""
        return self.model_dump(mode="json", include=set(Header.model_fields))


class StageStart(Record):
    """`.partial/stage.json`: what a stage in progress was begun with."""

    header: Header
    versions: dict[str, str]


class Manifest(Header):
    """A finished stage. Written last, so its presence means done."""

    outputs: dict[str, OutputFile]
    """Every file of the stage but this one, by its path inside the stage's folder."""
    counts: Counts
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    """What the stage says about itself, e.g. an accuracy."""
    deviations: tuple[str, ...] = ()
    """Where the stage departs from the papers, or went on under other versions than it began."""
    notes: tuple[str, ...] = ()
    """What the user was told while it was made."""
    timing: Timing
    versions: dict[str, str]

    @property
    def fingerprint(self) -> str:
        """sha256 over the outputs' names and hashes: equal exactly when the data are equal; timing plays no part."""
        return self.fingerprint_of(self.outputs)

    def fingerprint_of(self, names: Iterable[str]) -> str:
        """The same of some outputs alone."""
        lines = "".join(f"{name}\0{self.outputs[name].sha256}\n" for name in sorted(names))
        return hashlib.sha256(lines.encode()).hexdigest()

    def files(self, file: str) -> list[str]:
        """The outputs that hold the rows of a file, in order."""
        return row_files(self.outputs, file)


def row_files(names: Iterable[str], file: str) -> list[str]:
    """Those of the names that hold the rows of a file: `file.jsonl`, or its shards `file-00000.jsonl`, ... in order."""
    pattern = re.compile(rf"{re.escape(file)}(-\d{{5,}})?\.jsonl")
    return sorted(filter(pattern.fullmatch, names), key=lambda name: (len(name), name))  # shard 100000 follows 99999


def versions() -> dict[str, str]:
    """Versions of what can change results. Packages not imported by now took no part and are left out."""
    return installed([*ALWAYS, *(name for name in _PACKAGES if name in sys.modules)])


def installed(names: Iterable[str]) -> dict[str, str]:
    """The versions that are installed on this machine."""
    return {name: _version(name) for name in names}


def same_versions(then: Mapping[str, str]) -> bool:
    """Are the versions that took part in something the installed ones? Those of `ALWAYS` took part in everything."""
    return set(ALWAYS) <= then.keys() and installed(then) == dict(then)


def _version(name: str) -> str:
    if name == "solon_source":
        return _source_hash()
    if name == "python":
        return platform.python_version()
    return _package(name)


@cache
def _package(name: str) -> str:
    """Its version, read once: that takes milliseconds, and what a process has imported stays as it is."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


@cache
def _source_hash() -> str:
    """First 16 hex digits over the installed package: tells two states of one version apart."""
    return source_hash(Path(__file__).parents[1])[:16]


def source_hash(package: Path) -> str:
    """sha256 over all files of a package that a stage may read: code, templates, and data such as the world's words."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        left_out = path.suffix == ".pyc" or any(inside.is_relative_to(folder) for folder in _NO_SOURCE)
        if path.is_file() and not left_out:
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def differences(then: JsonValue | Mapping[str, object], now: JsonValue | Mapping[str, object], limit: int = 4) -> str:
    """Which leaves differ, e.g. `rl.steps was 30, now 5`; at most `limit` of them are spelt out.

    Of hashes the first digits are: `inputs.judge/config.json was "1f0c22aa", now "9be3017d"`.
    """
    before, after = _leaves(then), _leaves(now)
    keys = [key for key in {**before, **after} if before.get(key, "absent") != after.get(key, "absent")]
    told = [f"{key} was {_shown(before, key)}, now {_shown(after, key)}" for key in keys[:limit]]
    return "; ".join(told + ([f"and {len(keys) - limit} more"] if len(keys) > limit else []))


def _shown(leaves: Mapping[str, str], key: str) -> str:
    return _HASH.sub(r'"\1"', leaves.get(key, "absent"))


def _leaves(value: object, prefix: str = "") -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {prefix: json.dumps(value, ensure_ascii=False)}
    leaves: dict[str, str] = {}
    for key, item in value.items():
        leaves |= _leaves(item, f"{prefix}.{key}" if prefix else str(key))
    return leaves


def describe(path: Path) -> OutputFile:
    """A file as the manifest lists it."""
    rows = path.read_bytes().count(b"\n") if path.suffix == ".jsonl" else None
    return OutputFile(sha256=sha256_file(path), bytes=path.stat().st_size, rows=rows)


def problem(path: Path, file: OutputFile) -> str | None:
    """What is wrong with a finished file, or None."""
    if not path.is_file():
        return "missing"
    return "changed" if path.stat().st_size != file.bytes or sha256_file(path) != file.sha256 else None


def version_changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """The deviation to report if a stage ends under other versions than it was begun with, else none."""
    changes = [f"{name} {old} -> {now[name]}" for name, old in then.items() if now.get(name, old) != old]
    return [f"continued under other versions than it was begun with: {', '.join(changes)}"] if changes else []
