from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunFolder]:
    with RunFolder.create(tmp_path / "run", RunConfig(seed=7)) as folder:
        yield folder
