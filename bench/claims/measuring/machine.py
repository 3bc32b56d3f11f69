"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("solon", "torch", "transformers", "numpy")
_INSTRUCTIONS = {
    "amx_bf16": "AMX with bf16",
    "avx512_bf16": "AVX-512 with bf16",
    "avx512f": "AVX-512",
    "avx2": "AVX2",
}
"""Flags of Linux, the best first."""


def processor() -> str:
    """E.g. `AMD EPYC (family 25, model 17), AVX-512 with bf16, 2 cores`: of the cores, those this process may use."""
    if not (info := Path("/proc/cpuinfo")).exists():
        return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"
    said = dict(line.split(":", 1) for line in info.read_text().split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in said.items()}
    flags = facts.get("flags", "").split()
    best = next((name for flag, name in _INSTRUCTIONS.items() if flag in flags), "no AVX2")
    family = f"family {facts.get('cpu family', '?')}, model {facts.get('model', '?')}"
    cores = len(os.sched_getaffinity(0))
    name = facts.get("model name", platform.machine())
    return f"{name} ({family}), {best}, {cores} {'core' if cores == 1 else 'cores'}"


def versions(*more: str) -> dict[str, str]:
    """Of the packages that decide over speed, and of others by name; those that are not installed are left out."""
    return {name: found for name in (*PACKAGES, *more) if (found := _version(name))}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
