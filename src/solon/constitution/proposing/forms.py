"""The forms of words that proposals go by: those of `english.toml`. Of other languages headings and lists count."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files


@cache
def form(name: str) -> re.Pattern[str]:
    """The regular expression of this name in `english.toml`."""
    return re.compile(_tables()[name], re.IGNORECASE | re.VERBOSE)


@cache
def _tables() -> dict[str, str]:
    return tomllib.loads(files("solon.constitution.proposing").joinpath("english.toml").read_text(encoding="utf-8"))
