"""Solon: Constitutional AI in the open. A written constitution in, a measurably better model out."""

import os

__version__ = "0.1.0"

SPINS = "1500"
"""How often a waiting thread of GNU OpenMP, which is torch's on Linux, looks again before it sleeps: for some 20
microseconds. Left alone it looks for milliseconds, and takes the core from a thread that has work to do: runs beside
each other then take many times as long as one alone. Measured, see docs/log.md."""

if os.environ.keys().isdisjoint({"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}):
    os.environ["GOMP_SPINCOUNT"] = SPINS  # read once, when torch is imported
