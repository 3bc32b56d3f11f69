"""What a stage took, over all resumes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from solon.artifacts.atomic import canonical_json, write_atomic
from solon.artifacts.manifest import Timing


class Stopwatch:
    """Adds up wall seconds and tokens, and goes on from what `path` holds. `keep` at every commit."""

    def __init__(self, path: Path):
        before = Timing.model_validate_json(path.read_bytes()) if path.exists() else Timing()
        self.tokens = before.tokens
        self._path, self._seconds = path, before.seconds
        self._since: float | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the block's wall time; a block inside a block counts once."""
        if self._since is not None:
            yield
            return
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._seconds, self._since = self._elapsed(), None

    def reading(self) -> Timing:
        """So far, a running block included."""
        return Timing(seconds=round(self._elapsed(), 3), tokens=self.tokens)

    def keep(self) -> None:
        """Save the reading for the next process."""
        write_atomic(self._path, canonical_json(self.reading()))

    def _elapsed(self) -> float:
        return self._seconds + (0.0 if self._since is None else time.monotonic() - self._since)
