"""What may stand where a run file has a path: a path, a name of ours, or a name on the Hugging Face Hub."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, NamedTuple

from solon.config.section import MECHANICAL, names_in

EMBEDDED = "embedded"
"""The name of the shipped model, where a model folder may stand."""
EMBEDDED_MODELS = {EMBEDDED: "model", "embedded-medium": "model-medium", "embedded-small": "model-small"}
"""The names of the shipped models, largest first, and their folders in `embedded/`."""
WORLD = "world"
"""The name of the synthetic world, where a file of prompts may stand."""
FEW_SHOTS_FILE = "few_shots.json"
"""The file of few-shot examples in a constitution's folder."""
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


def shipped_constitutions() -> set[str]:
    """Names of the constitutions in `constitution/library`."""
    return set(names_in("constitution/library", "*.*"))


def shipped_few_shots() -> set[str]:
    """Names of the constitutions that ship with few-shot examples, in `constitution/examples`."""
    return set(names_in("constitution/examples", "[a-z]*"))


ModelPath = Annotated[str, MECHANICAL, PathKey(lambda: {*EMBEDDED_MODELS}, model=True)]
"""A shipped model (`EMBEDDED_MODELS`), a Hugging Face model folder, or a model on the Hub: `OWNER/NAME[@REVISION]`. A
folder that is called so comes first; `hf:OWNER/NAME` always means the Hub."""
PromptsPath = Annotated[str, MECHANICAL, PathKey(lambda: {WORLD})]
"""`world`, or data: a file, a folder that `datasets` saved, or `hf:OWNER/NAME` on the Hugging Face Hub."""
DataPath = Annotated[str, MECHANICAL, PathKey(set)]
"""A file or folder of the forms that `PromptsPath` has."""
FolderPath = Annotated[str, MECHANICAL, PathKey(set)]
"""A folder."""
ConstitutionPath = Annotated[str, MECHANICAL, PathKey(shipped_constitutions)]
"""The name of a shipped constitution, a .toml or .md file, or a folder with one."""
FewShotsPath = Annotated[str, MECHANICAL, PathKey(shipped_few_shots)]
"""The name of a shipped constitution that has examples, or a folder with few_shots.json."""
