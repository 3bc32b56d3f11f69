"""A constitution together with the lines it was read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from solon.constitution.principles import Constitution
from solon.errors import Where


@dataclass(frozen=True, kw_only=True)
class Sourced:
    """What was read, and where each part of it stands."""

    constitution: Constitution
    path: Path
    lines: Mapping[tuple[str, str], int]
    """Line of each (principle id, key); an article has only the key `id`, its heading."""
    articles: Mapping[str, str] = field(default_factory=dict)
    """Documents only: the text of each article by its id, as the principles' texts quote it."""

    def where(self, principle_id: str, key: str = "id") -> Where:
        """The line of a principle's key, or of the principle if the key was left out."""
        return Where(self.path, self.lines.get((principle_id, key)) or self.lines.get((principle_id, "id")))
