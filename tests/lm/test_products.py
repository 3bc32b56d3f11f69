"""A product is the linear map of torch, however its weights lie."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from solon.lm import products
from solon.lm.products import Product


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("dtype", "apart"), [(torch.float32, 1e-4), (torch.bfloat16, 0.1), (torch.float64, 0.0)])
def test_a_product_is_the_linear_map(dtype: torch.dtype, apart: float, bias: bool) -> None:
    drawn = torch.Generator().manual_seed(0)
    weight, added = (torch.randn(*shape, generator=drawn).to(dtype) for shape in ((96, 48), (96,)))
    product = Product(weight, added if bias else None)
    for rows in (0, 1, 5, 64, 300):
        x_NI = torch.randn(rows, 48, generator=drawn).to(dtype)
        expected = F.linear(x_NI, weight, added if bias else None)
        found = product(x_NI)
        assert found.dtype == dtype and found.shape == (rows, 96)
        assert torch.allclose(found, expected, rtol=0, atol=apart)


def test_where_weights_cannot_be_arranged_they_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(weight: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("bf16 path needs a processor that has it")

    monkeypatch.setattr(products, "_arrange", refuses)
    products._arranges.cache_clear()
    try:
        weight, x_NI = torch.randn(6, 4), torch.randn(3, 4)
        assert torch.equal(Product(weight)(x_NI), F.linear(x_NI, weight))
    finally:
        products._arranges.cache_clear()
