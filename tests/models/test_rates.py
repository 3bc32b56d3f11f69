"""How fast a device multiplies: a processor is measured once, GPUs are looked up."""

from __future__ import annotations

import pytest
import torch

from solon.models import rates
from solon.models.rates import PUBLISHED, product_rate


def test_a_processor_is_measured_once() -> None:
    rate = product_rate(torch.device("cpu"), torch.float32)
    assert rate is not None and 1e9 < rate < 1e14
    assert product_rate(torch.device("cpu"), torch.float32) == rate


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("NVIDIA H100 80GB HBM3", 989e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H200", 989e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA L40S", 362e12),
        ("NVIDIA L4", 121e12),
        ("NVIDIA GeForce RTX 4090", 165e12),
        ("Something else", None),
    ],
)
def test_a_gpu_is_looked_up_by_its_name(name: str, rate: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    rates.product_rate.cache_clear()
    assert product_rate(torch.device("cuda", 0), torch.bfloat16) == rate
    assert product_rate(torch.device("cuda", 0), torch.float32) is None
    rates.product_rate.cache_clear()


def test_no_name_on_the_list_hides_a_later_one() -> None:
    names = list(PUBLISHED)
    hidden = [(one, other) for place, one in enumerate(names) for other in names[place + 1 :] if one in other]
    assert hidden == []
