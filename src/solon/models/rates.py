"""How fast a device multiplies matrices: measured on a processor, as published by its maker for a GPU."""

from __future__ import annotations

import math
import time
from functools import cache

import torch

PUBLISHED: dict[str, float] = {
    "GB200": 2500e12,
    "B200": 2250e12,
    "GH200": 989e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L40": 181e12,
    "L4": 121e12,
    "A10G": 70e12,
    "RTX 4090": 165e12,
    "RTX 3090": 71e12,
}
"""Operations per second of dense products in bfloat16 with sums in float32, by what stands in the name of the GPU, the
first that does. Data sheets of its maker; half of what they state with sparsity."""
SIZE = 1024
SECONDS = 0.2
"""How long a processor is measured. Assumption: within a few percent."""


@cache
def product_rate(device: torch.device, dtype: torch.dtype) -> float | None:
    """Floating-point operations per second of large products with this many threads, a multiplication and an addition
    for each pair of numbers; None if the GPU is not on the list, or `dtype` is not what the list is about."""
    if device.type == "cpu":
        return _measured(dtype)
    if device.type != "cuda" or dtype != torch.bfloat16:
        return None
    name = torch.cuda.get_device_name(device)
    return next((rate for part, rate in PUBLISHED.items() if part in name), None)


def _measured(dtype: torch.dtype) -> float:
    """The best of several products, so that a pause does not count."""
    one = torch.full((SIZE, SIZE), 1.0, dtype=dtype)
    best, since = math.inf, time.perf_counter()
    while best == math.inf or time.perf_counter() - since < SECONDS:
        began = time.perf_counter()
        torch.mm(one, one)
        best = min(best, time.perf_counter() - began)
    return 2.0 * SIZE**3 / best
