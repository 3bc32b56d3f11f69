"""`bench/gpu.py` at its smallest: every figure is measured, on whatever there is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gpu
import pytest
import torch

WHAT = [
    *("decode, batch 1", "decode, batch 4", "prefill", "scoring behind a shared beginning"),
    *("answer, critique and revision", "finetuning", "preference training"),
]


def test_the_toy_measures_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "gpu.json"
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--toy", "--no-demo", "-o", str(file)])
    assert gpu.main() == 0
    report = json.loads(file.read_text())
    assert [figure["what"] for figure in report["figures"]] == WHAT
    assert all(figure["figure"] > 0 and figure["peak_bytes"] > 0 for figure in report["figures"])
    assert report["bytes_per_s"] > 0 and report["flops"] > 0


def test_what_does_not_fit_is_no_figure() -> None:
    card = gpu.Card(device=torch.device("cpu"), dtype=torch.float32, bytes_per_s=1.0, flops=1.0)
    loaded = gpu.random_model(gpu.TOY_SHAPES["toy"], dtype=torch.float32, device=card.device)

    def fails() -> float:
        raise torch.OutOfMemoryError

    assert gpu.Bench("toy", loaded, card, gpu.TOY).take("decode", "tokens/s", fails).figure is None


def test_bandwidth_limits_decoding() -> None:
    """A step reads 1,000 weights of 4 bytes, and for each of 2 rows 18 columns of 8 bytes: 4,288 bytes for 2 tokens."""
    bench = gpu.Bench.__new__(gpu.Bench)
    bench.card = gpu.Card(device=torch.device("cpu"), dtype=torch.float32, bytes_per_s=4288.0, flops=1.0)
    bench.sizes, bench.weights, bench.cached = gpu.TOY, 1000, 8
    assert bench.bandwidth_limit(2) == pytest.approx(2.0)
