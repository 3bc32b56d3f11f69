from __future__ import annotations

import pytest
import torch

from solon.models.runtime import resolve_device, resolve_dtype

CPU = torch.device("cpu")


def test_named_dtypes_are_taken_at_their_word() -> None:
    assert resolve_dtype("float32", CPU) == torch.float32
    assert resolve_dtype("bfloat16", CPU) == torch.bfloat16
    with pytest.raises(ValueError, match="float16"):
        resolve_dtype("float16", CPU)


@pytest.mark.parametrize("able", [{}, {"avx512_bf16": False}, {"avx512_bf16": True}, {"amx_bf16": True}])
def test_auto_is_bfloat16_exactly_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, able: dict[str, bool]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able, raising=False)
    assert resolve_dtype("auto", CPU) == (torch.bfloat16 if any(able.values()) else torch.float32)


def test_devices() -> None:
    assert resolve_device("cpu") == CPU
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
