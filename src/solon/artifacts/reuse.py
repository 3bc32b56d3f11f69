"""Finished stages of other runs, taken over where they are what this run would make.

Rows are copied: a run folder holds all that is its own, and an edit of one run does not reach another. Weights are
large, and nothing writes into them: they get a second name (a hard link) where the file system can do that. Deleting
either run leaves the other whole.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from solon.artifacts import hashes
from solon.artifacts.atomic import folder_atomic
from solon.artifacts.finished import RUN, FinishedStage, require_run
from solon.artifacts.manifest import MANIFEST, Header, Manifest, same_versions
from solon.errors import PASSING, RunError

_LINKED = ".safetensors"


@dataclass(frozen=True, kw_only=True)
class OtherRuns:
    """Runs whose finished stages may be taken over."""

    named: tuple[Path, ...] = ()
    """By the user, who vouches for them: they may have been made under other versions."""
    found: tuple[Path, ...] = ()
    """Beside the run, of the same user: made from begin to end under the versions that are installed now, or they are
    left alone."""

    @classmethod
    def of(cls, run: Path, named: Sequence[Path] = ()) -> OtherRuns:
        """The runs around a run's folder, and those that the user named. Raises `RunError` if one of these is none."""
        for folder in named:
            require_run(folder, hint="--reuse takes the folder of another run")
        return cls(named=tuple(named), found=tuple(_beside(run)))

    def take_over(self, run: Path, header: Header) -> Path | None:
        """Copies or links a stage, whose folder must not be there yet, from the first run that has it.

        Returns that run; None if none has it.
        """
        for other in (*self.named, *self.found):
            kept = _whole_stage(other, header)
            if kept and (other in self.named or _trusted(other, kept)):
                with suppress(FileNotFoundError):  # the other run is being deleted
                    _take(other, run, kept)
                    return other
        return None


def _beside(run: Path) -> Iterator[Path]:
    parent = run.resolve().parent if run.name in ("", "..") else run.parent
    siblings: list[Path] = []
    with suppress(OSError):  # a folder that cannot be read has nothing to give
        siblings = sorted(parent.iterdir())
    for path in siblings:
        with suppress(OSError):
            if _is_own_run(path) and path.resolve() != run.resolve():
                yield path


def _is_own_run(path: Path) -> bool:
    return (path / RUN).is_file() and _own(path, path / RUN)


def _own(*paths: Path) -> bool:
    """What other users leave beside a run, or inside it, is not to be trusted."""
    return all(path.stat().st_uid == os.geteuid() for path in paths)


def _trusted(run: Path, stage: Manifest) -> bool:
    """Was it made from begin to end under the versions that are installed now, and by this user?"""
    if stage.deviations or not same_versions(stage.versions):
        return False
    files = [run / stage.stage / name for name in ("", MANIFEST, *stage.outputs)]
    return _own(*files, *(file.parent for file in files))


def _whole_stage(run: Path, header: Header) -> Manifest | None:
    """The manifest of a stage that was finished from what the header says, and kept every file."""
    with suppress(OSError, RunError):
        found = FinishedStage.find(run, header.stage)
        if found and found.manifest.header() == header.header():
            inside = all(name == os.path.normpath(name) and name[0] not in "./" for name in found.manifest.outputs)
            if inside and not found.faults() and not _lost(found.manifest):
                return found.manifest
    return None


def _lost(manifest: Manifest) -> bool:
    """Did it lose rows to failures that may pass? Another try would have them."""
    unscored = {f"unscored: {reason}" for reason in PASSING}
    counts = manifest.counts
    return bool((PASSING | unscored) & counts.dropped.keys() or unscored & counts.other.keys())


def _take(other: Path, run: Path, manifest: Manifest) -> None:
    source = other / manifest.stage
    with folder_atomic(run / manifest.stage) as new:
        for name in (*manifest.outputs, MANIFEST):
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            link_or_copy(source / name, new / name)


def link_or_copy(source: Path, target: Path) -> None:
    """Weights get a second name where the file system can do that."""
    if source.suffix != _LINKED or not _link(source.resolve(), target):
        shutil.copyfile(source, target)


def _link(source: Path, target: Path) -> bool:
    """Could the file get a second name? What it hashes to stays known."""
    before = source.stat()
    try:
        os.link(source, target)
    except OSError:  # e.g. on another file system
        return False
    # Its data were settled when their hash was remembered, so a later change would show in this time.
    if (sha256 := hashes.known(before)) and target.stat().st_mtime_ns == before.st_mtime_ns:
        hashes.remember(target.stat(), sha256)
    return True
