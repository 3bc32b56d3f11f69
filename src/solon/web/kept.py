"""What is worked out from a run is worked out once, and kept until the run changes or others push it out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

T = TypeVar("T")
MOST = {"report": 4, "comparison": 16, "lineage": 64, "rows": 64, "numbers": 64, "beside": 4}
"""Things of each kind that are held: a report has up to 10 MB, what stands beside rows holds prompts and grades."""


@dataclass
class _Entry:
    lock: Lock = field(default_factory=Lock)
    done: bool = False
    value: Any = None


@dataclass
class Kept:
    """Of this process."""

    _entries: dict[str, OrderedDict[Hashable, _Entry]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def once(self, kind: str, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns; who asks for the same meanwhile waits for it. key: all that it depends on."""
        entry = self._entry(kind, key)
        with entry.lock:
            if not entry.done:
                entry.value, entry.done = make(), True
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
