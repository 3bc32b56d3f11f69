"""Where the tests of the vLLM engine can run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch


def _obstacle() -> str:
    if find_spec("vllm") is None:
        return "vLLM is not installed (make test-vllm)"
    told = Path("/proc/cpuinfo")
    if not torch.cuda.is_available() and not (told.is_file() and " avx512f " in told.read_text()):
        return "without a GPU vLLM needs a processor with AVX-512"
    return ""


HEADS = 1
"""Of width 32: narrower ones do not run on processors."""
needs_vllm = pytest.mark.skipif(bool(_obstacle()), reason=_obstacle())
