"""What may stand where a run file has a path: a path, a name of ours, or a name on the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

HUB = "hf:"
"""What a name on the Hub begins with where it could also be a path."""
HUB_MODEL = re.compile(
    rf"(?:{HUB})?(?P<repo>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>[^@#\s]+))?(?:#(?P<commit>[0-9a-f]{{40}}))?"
)
"""`OWNER/NAME[@REVISION]`. A run adds `#COMMIT`: what the revision stood for when it began."""


class PathKey(NamedTuple):
    """Marks a key that holds a path, or one of the `names`, which are never paths."""

    names: Callable[[], set[str]]
    model: bool = False
    """Whether it may be a model on the Hub. Of data, what follows `hf:` may be a folder."""

    def place(self, value: str, base: Path) -> str:
        """The value, made an absolute path if it is one: see `anchored`."""
        if self.model and value.startswith(HUB):
            return value
        return anchored(value, base, names=self.names())

    def two_readings(self, given: str, placed: str) -> bool:
        """Whether a folder was found that is called as a model on the Hub may be."""
        return self.model and given != placed and HUB_MODEL.fullmatch(given) is not None


def anchored(value: str, base: Path, *, names: Collection[str]) -> str:
    """An absolute path if `value` begins as only paths do, or exists below `base`, or would else be taken from the
    working directory. The `names` never are paths."""
    if not value or value in names:
        return value
    if value.startswith(HUB):
        return HUB + anchored(value.removeprefix(HUB), base, names=())
    path = below(base, value)
    is_path = value.startswith(("./", "../", "~")) or path.exists() or Path(value).exists()
    return str(path) if is_path else value


def below(base: Path, path: str) -> Path:
    """`path` as an absolute one; a relative one is taken from `base`."""
    return (base / Path(path).expanduser()).absolute()
