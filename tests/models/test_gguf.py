"""A GGUF file becomes the model it was made from."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest
import torch

from gguf_files import write_gguf
from solon.errors import ModelError
from solon.models.gguf import import_gguf
from solon.models.load import load_model, load_tokenizer
from tiny_models import CHAT_TEMPLATE, tiny_model, tiny_tokenizer


def _logits(folder: Path) -> torch.Tensor:
    loaded = load_model(folder, dtype=torch.float32, device="cpu")
    ids = loaded.tokenizer("Ring the bell first.", return_tensors="pt").input_ids
    with torch.inference_mode():
        return loaded.model(ids).logits


def test_the_same_model_comes_out(tmp_path: Path) -> None:
    facts = import_gguf(write_gguf(tmp_path / "tiny.gguf", kind=gguf.GGMLQuantizationType.F32), tmp_path / "new")
    model = tiny_model()
    ids = tiny_tokenizer()("Ring the bell first.", return_tensors="pt").input_ids
    with torch.inference_mode():
        assert torch.allclose(_logits(tmp_path / "new"), model(ids).logits, atol=1e-5)
    assert (facts.architecture, facts.parameters, facts.license) == (
        "LlamaForCausalLM",
        model.num_parameters(),
        "cc0-1.0",
    )
    assert facts.lost == ("how the model prefers to be sampled: a GGUF has no generation_config.json",)
    tokenizer = load_model(tmp_path / "new", dtype=torch.float32, device="cpu").tokenizer
    assert tokenizer.chat_template == CHAT_TEMPLATE
    for text in ("\n\nHuman: Ünï 漢 <|end|>", " (A)", "x  y"):
        assert tokenizer.encode(text) == tiny_tokenizer().encode(text)


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "tiny.gguf", kind=gguf.GGMLQuantizationType.Q8_0, chat_template=False)
    facts = import_gguf(file, tmp_path / "new", dtype=torch.bfloat16)
    assert facts.lost == (
        "precision: the file holds 99.5% as Q8_0; that cannot be undone",
        "precision: rounded to bfloat16",
        "no chat template: dialogues are written as Human/Assistant",
        "how the model prefers to be sampled: a GGUF has no generation_config.json",
    )


def test_what_lies_beside_the_file_is_of_another_model(tmp_path: Path) -> None:
    """Its code would be offered to run, its tokenizer taken for the file's."""
    file = write_gguf(tmp_path / "tiny.gguf", kind=gguf.GGMLQuantizationType.F32)
    (tmp_path / "tokenizer_config.json").write_text('{"auto_map": {"AutoTokenizer": ["tok.T", "tok.T"]}}')
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "chat_template.jinja").write_text("another")
    import_gguf(file, tmp_path / "new")
    assert load_tokenizer(tmp_path / "new").chat_template == CHAT_TEMPLATE


def test_files_that_cannot_be_imported(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / "tiny.gguf", kind=gguf.GGMLQuantizationType.F32)
    (tmp_path / "half.gguf").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "page.gguf").write_text("<html>")
    (tmp_path / "unknown.gguf").write_bytes(
        whole.read_bytes().replace(b"\x05\x00\x00\x00\x00\x00\x00\x00llama", b"\x05\x00\x00\x00\x00\x00\x00\x00lpaca")
    )
    for name, said in {
        "half.gguf": "half.gguf: is cut off or damaged: ",
        "page.gguf": "page.gguf: is not a GGUF file",
        "nowhere.gguf": "nowhere.gguf: no such file",
        "unknown.gguf": "unknown.gguf: cannot be loaded: GGUF model with architecture lpaca is not supported yet. "
        "(give the model's folder, or its name on the Hugging Face Hub, instead)",
    }.items():
        with pytest.raises(ModelError) as caught:
            import_gguf(tmp_path / name, tmp_path / "new")
        assert said in str(caught.value), caught.value
        assert not (tmp_path / "new").exists()
