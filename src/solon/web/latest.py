"""What is worked out from the database and kept until that has changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class Latest:
    """One value under each key; it is made by one request at a time, and others wait for it."""

    _values: dict[Hashable, tuple[object, float, Any]] = field(default_factory=dict)
    """Version, when it was made, and the value."""
    _locks: defaultdict[Hashable, Lock] = field(default_factory=lambda: defaultdict(Lock))

    def get(self, key: Hashable, version: object, make: Callable[[], T], *, rests: float = 0.0) -> T:
        """The value of this version, or one that was made less than `rests` seconds ago."""
        with self._locks[key]:
            found = self._values.get(key)
            if found is None or (found[0] != version and monotonic() - found[1] >= rests):
                found = self._values[key] = (version, monotonic(), make())
            value: T = found[2]
            return value
