"""What is worked out once, and kept until what it depends on changes or others push it out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")
MOST = {
    "models": 3,
    "report": 4,
    "beside": 4,
    "comparison": 16,
    "lineage": 64,
    "constitutions": 64,
    "rows": 64,
    "numbers": 64,
    "pairs": 64,
    "standings": 64,
    "alike": 4,
}
"""Things of each kind that are held. Of models as many as stand side by side: with fewer, each question would load all
of them anew. A report has up to 10 MB, what stands beside rows holds prompts and grades."""
_NEVER = object()


@dataclass
class _Entry:
    lock: Lock = field(default_factory=Lock)
    version: object = _NEVER
    made: float = 0.0
    value: Any = None

    def is_good(self, version: object, rests: float) -> bool:
        return self.version == version or (self.version is not _NEVER and monotonic() - self.made < rests)

    def put(self, version: object, make: Callable[[], Any]) -> None:
        """What is replaced goes first: there may be no room for both."""
        self.version, self.value = _NEVER, None
        self.value = make()
        self.version, self.made = version, monotonic()


@dataclass
class Kept:
    """Of this process."""

    _entries: dict[str, OrderedDict[Hashable, _Entry]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def once(self, kind: str, key: Hashable, make: Callable[[], T], *, version: object = None, rests: float = 0.0) -> T:
        """What `make` returned for this version, or for another less than `rests` seconds ago; who asks for it
        meanwhile waits. key and version: all that it depends on; of a key there is one version."""
        entry = self._entry(kind, key)
        with entry.lock:
            if not entry.is_good(version, rests):
                entry.put(version, make)
            value: T = entry.value
            return value

    def _entry(self, kind: str, key: Hashable) -> _Entry:
        with self._lock:
            entries = self._entries.setdefault(kind, OrderedDict())
            entry = entries.setdefault(key, _Entry())
            entries.move_to_end(key)
            while len(entries) > MOST[kind]:
                entries.popitem(last=False)
            return entry
