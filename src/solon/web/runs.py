"""The folder of runs that a site shows: which there are, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from solon.artifacts.finished import RUN
from solon.web.troubles import not_found


@dataclass(frozen=True)
class Runs:
    """Runs by the names of their folders."""

    folder: Path | None
    """None: the site shows none."""

    def names(self) -> list[str]:
        """Of all that there are, the newest first."""
        found = list(self.folder.glob(f"*/{RUN}")) if self.folder else []
        return [one.parent.name for one in sorted(found, key=lambda one: one.stat().st_mtime, reverse=True)]

    def path(self, name: str) -> Path:
        """The folder of a run. Raises `Trouble` if there is none of this name: no name leads anywhere else."""
        if self.folder is None or name not in self.names():
            raise not_found()
        return self.folder / name
