"""Which heading a phrase means: `being safe` means `Safety`. By the stems of words, nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from solon.constitution.proposing.forms import form

_WORD = re.compile(r"[^\W\d_]{3,}")
ENOUGH = 0.5
"""Share of a heading's words that a phrase must have. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A heading that a phrase may name."""

    id: str
    title: str
    level: int
    above: tuple[str, ...]
    """Ids of the headings above it."""


class Names:
    """The headings of a document."""

    def __init__(self, headings: Sequence[Named], title: str = "") -> None:
        """`title`: the document's. Its words tell no heading from another."""
        self.headings = headings
        shared = _stems(title)
        self._stems = [(one, _stems(one.title) - shared or _stems(one.title)) for one in headings]

    def named(self, phrase: str) -> Named | None:
        """The heading of whose words the phrase has the largest share, and at least half; of several the highest, then
        the first."""
        said = _stems(phrase)
        shares = [(len(stems & said) / len(stems), -one.level, one) for one, stems in self._stems if stems]
        best = max(shares, key=lambda found: found[:2], default=None)
        return best[2] if best and best[0] >= ENOUGH else None

    def all_named(self, phrases: Iterable[str]) -> list[Named]:
        """The headings that the phrases name, each once, in their order."""
        found = [one for phrase in phrases if (one := self.named(phrase))]
        return list(dict.fromkeys(found))


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.casefold()) if not form("small").match(word)}


def _stem(word: str) -> str:
    """`helpfulness`, `helpful` and `helps` are `help`; `safety`, `safely` and `safe` are `saf`."""
    while (shorter := form("suffix").sub("", word)) != word:
        word = shorter
    return word
