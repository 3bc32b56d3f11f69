"""Linear maps whose weights lie as the products of this machine want them.

oneDNN arranges weights for its products; done once and not at every product, 64 rows of a model of 135 million weights
take a sixth less time in bfloat16, a quarter less in float32, and 4 rows half (measured). torch.compile does the same
to weights that it takes for constants.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

USUAL_ROWS = 64
"""For which weights are arranged; other numbers of rows are as fast with that arrangement (measured: 1 to 2,048)."""


class Product:
    """A linear map of N rows, [N, inputs] to [N, outputs], in the dtype of its weights."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None):
        """`weight`: [outputs, inputs]. A copy of it is kept where weights are arranged."""
        self._arranged = weight.device.type == "cpu" and _arranges(weight.dtype)
        self._weight, self._bias = (_arrange(weight) if self._arranged else weight), bias

    def __call__(self, x_NI: Tensor) -> Tensor:
        if self._arranged:
            return _multiply(x_NI, self._weight, self._bias)
        return F.linear(x_NI, self._weight, self._bias)


def _arrange(weight: Tensor) -> Tensor:
    arranged: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight.detach(), USUAL_ROWS)
    return arranged


def _multiply(x_NI: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    product: Tensor = torch.ops.mkldnn._linear_pointwise(x_NI, weight, bias, "none", [], "")
    return product


@cache
def _arranges(dtype: torch.dtype) -> bool:
    """Whether this build of torch and this processor do it; there is no other way to know."""
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    one = torch.ones(1, 1, dtype=dtype)
    try:
        return bool(_multiply(one, _arrange(one), None) == 1)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
