"""The folder of runs that a site shows: which there are. A run is looked for among them: no name becomes a path."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from solon.artifacts.finished import RUN
from solon.artifacts.manifest import MANIFEST
from solon.pipeline.stages import STAGES
from solon.web.faults import told
from solon.web.troubles import not_found

SUMMARY = "summary.json"
"""What a finished run has."""
DEEPEST = 3
"""Of a run below the folder of runs: `solon town` and `solon figures` give theirs folders of their own."""
BETWEEN = " › "
BESIDE = (RUN, SUMMARY, "constitution.json", "sensitivity.json", "principles.json", "people.json")
Stamp = tuple[tuple[str, int, int], ...]
"""Name, time of change and size of files."""


def stamp_of(paths: Iterable[Path]) -> Stamp:
    """Files that are not there are left out."""
    found = []
    for path in paths:
        if path.is_file():
            status = path.stat()
            found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)


def shown_name(path: Path) -> str:
    """What a file or folder is called, so that it can be shown."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def _found(inside: Iterable[Path], depth: int, before: str = "") -> Iterator[tuple[Path, str]]:
    """Runs with their names. Within a run there is none, and nothing is said of a folder that cannot be read."""
    for path in inside:
        name = before + shown_name(path)
        if (path / RUN).is_file():
            yield path, name
        elif depth > 1 and path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            yield from _found(sorted(path.iterdir()), depth - 1, name + BETWEEN)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run's folder, found in the folder of runs."""

    path: Path
    name: str
    """Its folder's, behind those of the folders that it lies in."""

    @property
    def address(self) -> str:
        """The name as a part of an address."""
        return quote(self.name, safe="")

    @cached_property
    def stamp(self) -> Stamp:
        """Changes with what pages are made from: the files of the run itself and the manifests of its stages."""
        stages = [self.path / stage.folder / MANIFEST for stage in STAGES]
        evaluations = sorted((self.path / "evaluations").glob("*.json"))
        return stamp_of([*(self.path / name for name in BESIDE), *stages, *evaluations])

    @property
    def changed(self) -> int:
        """When something of it was written last, in milliseconds."""
        live = stamp_of(self.path / name for name in ("progress.json", ".lock"))
        return max((time for _, time, _ in (*self.stamp, *live)), default=0) // 1_000_000


@dataclass(frozen=True)
class Runs:
    """Those that lie in a folder, or not far below it, read anew each time."""

    folder: Path | None
    """None: the site shows none."""

    def inside(self) -> list[Path]:
        """All that the folder holds, by name."""
        return sorted(self.folder.iterdir()) if self.folder and self.folder.is_dir() else []

    def all(self) -> list[Run]:
        """By name."""
        return [Run(path=path, name=name) for path, name in _found(self.inside(), DEEPEST)]

    def told(self, error: Exception) -> str:
        """Its words, for a page: files by their place in this folder."""
        return told(error, self.folder)

    def newest(self) -> list[Run]:
        """Those that changed last come first."""
        return sorted(self.all(), key=lambda run: -run.changed)

    def named(self, name: str) -> Run:
        """Raises `Trouble` if there is none."""
        found = next((run for run in self.all() if run.name == name), None)
        if found is None:
            raise not_found()
        return found
