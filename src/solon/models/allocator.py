"""What the C library's allocator does with memory that was freed: kept for the next operation, given back between
shards and between stages."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from typing import Any

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEEP_BYTES = 1 << 30


@cache
def keep_freed_memory() -> bool:
    """Keep freed memory inside the process; returns whether the allocator took the settings. Safe to call often.

    glibc hands every large block back to the kernel when it is freed and faults each page in again at the next
    allocation. A network of a few million parameters allocates such blocks in every operation, so it spends more
    time on page faults than on arithmetic (measured, see docs/log.md). The price is a larger resident size. The same
    settings as environment variables act only if they are set before the process starts.
    """
    mallopt = _of_glibc("mallopt")
    return bool(mallopt and mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES) and mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES))


def give_memory_back() -> bool:
    """Gives the kernel what is free now; returns whether there was any. Blocks of other lengths, which the next rows
    need, would come on top of it: without this the memory of a stage grows with its rows, and the next stage loads its
    models beside what the last one freed (measured, see docs/log.md).
    """
    trim = _of_glibc("malloc_trim")
    return bool(trim and trim(0))


def _of_glibc(function: str) -> Any:
    """None in another C library, e.g. musl."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return getattr(ctypes.CDLL(None), function)
    except (AttributeError, OSError):
        return None
