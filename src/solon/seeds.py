"""Randomness derived, never drawn from global state: every row owns a generator made from (run seed, stage, row id).

So neither loop order, batch size nor a kill-and-resume changes what a row draws.
"""

from __future__ import annotations

import hashlib

import numpy as np


def derive_seed(run_seed: int, *names: str | int) -> int:
    """A 64-bit seed for one purpose, e.g. `derive_seed(0, "revisions", prompt.id, round)`."""
    text = "\x1f".join(str(part) for part in (run_seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def generator(run_seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for one purpose; the same arguments give the same stream on every machine."""
    return np.random.Generator(np.random.Philox(key=derive_seed(run_seed, *names)))


def portable_seed(seed: int) -> int:
    """A seed as it leaves the house: its lowest 63 bits, since servers and data sets keep seeds as signed numbers."""
    return seed & ((1 << 63) - 1)
