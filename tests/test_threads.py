"""Threads of OpenMP sleep soon, and oneDNN keeps few products prepared, unless the user has said otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import solon

PLAIN = {name: said for name, said in os.environ.items() if "OMP_" not in name}
TORCH = Path(str(getattr(find_spec("torch"), "origin", ""))).parent
GNU_OPENMP = sorted([*TORCH.glob("lib/libgomp*"), *TORCH.with_name("torch.libs").glob("libgomp*")])


def taken(**said: str) -> str:
    """What torch's OpenMP says of its settings when it is loaded after Solon."""
    code = f"import solon, ctypes; ctypes.CDLL({str(GNU_OPENMP[0])!r})"
    env = PLAIN | {"OMP_DISPLAY_ENV": "verbose"} | said
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stderr


@pytest.mark.skipif(not GNU_OPENMP, reason="this torch has another OpenMP")
def test_torch_is_told_how_long_threads_spin() -> None:
    assert f"GOMP_SPINCOUNT = '{solon.SPINS}'" in taken()
    assert "GOMP_SPINCOUNT = '7'" in taken(GOMP_SPINCOUNT="7")
    assert "GOMP_SPINCOUNT = '0'" in taken(OMP_WAIT_POLICY="passive")


CAPACITIES = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY", "DNNL_PRIMITIVE_CACHE_CAPACITY")


@pytest.mark.parametrize(
    ("said", "kept"), [((), "64 64 None"), ((0,), "7 64 None"), ((1,), "64 7 None"), ((2,), "64 None 7")]
)
def test_few_products_stay_prepared_unless_the_user_says_how_many(said: tuple[int, ...], kept: str) -> None:
    code = f"import solon, os; print(*map(os.environ.get, {CAPACITIES}))"
    env = {name: value for name, value in PLAIN.items() if name not in CAPACITIES}
    env |= {CAPACITIES[place]: "7" for place in said}
    printed = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == kept
