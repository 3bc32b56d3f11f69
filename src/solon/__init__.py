"""Solon: Constitutional AI in the open. A written constitution in, a measurably better model out."""

import os

__version__ = "0.1.0"

SPINS = "1500"
"""How often a waiting thread of GNU OpenMP, which is torch's on Linux, looks again before it sleeps: for some 20
microseconds. Left alone it looks for milliseconds, and takes the core from a thread that has work to do: runs beside
each other then take many times as long as one alone. Measured, see docs/log.md."""

if os.environ.keys().isdisjoint({"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}):
    os.environ["GOMP_SPINCOUNT"] = SPINS  # read once, when torch is imported

PREPARED = "64"
"""How many products stay prepared, in oneDNN and in torch's own cache before it. Each is for one length of a batch and
holds up to some megabytes; by their own measure, 1,024, a process grows for as long as it meets new lengths. Measured,
see docs/log.md."""

for _names in ({"LRU_CACHE_CAPACITY"}, {"ONEDNN_PRIMITIVE_CACHE_CAPACITY", "DNNL_PRIMITIVE_CACHE_CAPACITY"}):
    if os.environ.keys().isdisjoint(_names):
        os.environ[max(_names)] = PREPARED  # read once, at the first product
