"""What some tests need that no Python package brings: where it lies, and how to have it.

A test without it is skipped, for `reason`. It fails instead where the thing exists, for then the test has lost its way
to it, and where `SOLON_TESTS_REQUIRE` names it (tests/conftest.py).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from simulated.postgresql import postgres

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True)
class Need:
    name: str
    place: Path | None
    """None if there is none."""
    how: str

    @property
    def reason(self) -> str:
        return f"no {self.name} ({self.how})"

    @property
    def must_be(self) -> bool:
        return self.place is not None or self.name in os.environ.get("SOLON_TESTS_REQUIRE", "").split(",")


def _folder(path: Path) -> Path | None:
    return path if path.is_dir() else None


def _program(*names: str) -> Path | None:
    return next((Path(found) for name in names if (found := shutil.which(name))), None)


REFERENCE_DATA = Need(
    name="reference data",
    place=_folder(ROOT / os.environ.get("SOLON_REFERENCE_DATA", "../shared/data")),
    how="set SOLON_REFERENCE_DATA to a folder of the published files",
)
CHROMIUM = Need(
    name="chromium",
    place=_program("chromium", "chromium-browser", "google-chrome"),
    how="on Debian: apt-get install --no-install-recommends chromium",
)
POSTGRES = Need(
    name="postgresql",
    place=postgres(),
    how="on Debian: apt-get install --no-install-recommends postgresql",
)
NEEDS = (REFERENCE_DATA, CHROMIUM, POSTGRES)
