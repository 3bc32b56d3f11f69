"""The machine in words: what a reader needs to judge a time, and nothing that tells whose machine it was."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

_NOISE = re.compile(r"\((?:R|TM|C)\)|\bCPU\b|\bProcessor\b|@.*|\d\S*-Core", re.IGNORECASE)
_FAST = ("amx_bf16", "avx512_bf16", "bf16")


def machine_in_words(cpuinfo: str | None = None) -> str:
    """Cores, instruction set, processor family and whether it multiplies bfloat16 in hardware.

    >>> machine_in_words("model name : Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz\\nflags : fpu amx_bf16")[-35:]
    'Intel Xeon, bfloat16 by amx_bf16'
    """
    text = _cpuinfo() if cpuinfo is None else cpuinfo
    parts = [f"{os.cpu_count() or 1} cores", platform.machine()]
    if named := re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE):
        parts.append(" ".join(_NOISE.sub(" ", named[1]).split()[:2]))
    flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", text, re.MULTILINE)
    fast = [flag for flag in _FAST if flags and flag in flags[1].split()]
    parts.append(f"bfloat16 by {fast[0]}" if fast else "no bfloat16 in hardware")
    return ", ".join(parts)


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
