"""A folder becomes llama.cpp's file: read back by transformers, it is the same model."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from peers.gguf_weights import write_gguf
from tiny_models import tiny_model_folder


def test_the_file_holds_the_same_model(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path)
    write_gguf(folder, tmp_path / "model.gguf", "float32")
    here = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    there = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file="model.gguf", dtype=torch.float32)
    ids = torch.arange(2, 30)[None]
    torch.testing.assert_close(there(ids).logits, here(ids).logits, atol=1e-5, rtol=1e-4)
