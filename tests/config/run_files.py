"""Run files of tests, and what is told of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from solon.config.load import load_run_config
from solon.errors import ConfigError

SOUND = {"models.assistant": "m", "prompts.source": "world"}
"""What every run file must say, as flags."""
LONG = "p" * 5000
"""What is longer than any name of a file."""


def told(*arguments: object, **more: object) -> list[str]:
    """The faults of a run file that cannot be used, one per line."""
    with pytest.raises(ConfigError) as caught:
        load_run_config(*arguments, **more)  # type: ignore[arg-type]
    return str(caught.value).split("\n")


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path
