"""What an engine takes of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from solon.export.rewarding import Takes
from solon.export.sets import ExportRow


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Who takes a run over."""

    name: str
    """As the command line and the folder of its templates call it."""
    title: str
    version: str
    """Whose formats, flags and keys these are."""
    sets: Mapping[str, type[ExportRow]]
    """The rows that it takes, by the name of the set."""
    trainers: Mapping[str, str]
    """Which of its trainings take a set."""
    without: tuple[str, ...] = ()
    """Kinds of row that it could not tell from others."""
    run_files: Mapping[str, tuple[str, ...]]
    """Files that start its trainings with the run's settings, and the models that each needs."""
    rewards: Takes
    """What of a run's reward it takes over."""
