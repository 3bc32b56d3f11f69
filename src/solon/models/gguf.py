"""From a GGUF file, as llama.cpp reads it, to a model folder that can be trained. Needs the extra `gguf`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from solon.errors import ModelError, Where
from solon.models.allocator import keep_freed_memory
from solon.models.load import TELL, as_model_error, check_found, quiet, save_model
from solon.records import Record

_MAGIC = b"GGUF"
_EXACT = {"F64", "F32", "BF16", "F16"}
_AGAIN = "copy it again from where it came from"
_ELSEWHERE = "give the model's folder, or its name on the Hugging Face Hub, instead"


class GgufFacts(Record):
    """What a GGUF held, and what the folder made from it lacks."""

    architecture: str
    parameters: int
    storage: dict[str, int]
    """How many of the file's numbers it keeps in each type, e.g. `Q4_1`; most first."""
    license: str | None
    lost: tuple[str, ...]
    """In sentences."""


def import_gguf(file: str | Path, folder: str | Path, *, dtype: torch.dtype = torch.float32) -> GgufFacts:
    """Writes the model in `file`, dequantized, into `folder`: safetensors, tokenizer and chat template.

    Quantization cannot be undone: every weight is what llama.cpp computes with, not what the model was trained to.

    Raises:
        ModelError: if the file is missing, damaged, a part of a split one, or of an architecture that transformers
            cannot read; or if the extra is not installed.
    """
    file = Path(file)
    keep_freed_memory()
    _check_file(file)
    storage, metadata = _contents(file)
    model, tokenizer = _load(file, dtype)
    save_model(model, tokenizer, Path(folder))
    return GgufFacts(
        architecture=type(model).__name__,
        parameters=model.num_parameters(),
        storage=storage,
        license=metadata.get("general.license"),
        lost=tuple(_lost(storage, metadata, dtype)),
    )


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise ModelError("no such file", where=Where(file), hint="give a GGUF file on this machine")
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) != _MAGIC:
            raise ModelError("is not a GGUF file", where=Where(file), hint="a GGUF file begins with the letters GGUF")


def _contents(file: Path) -> tuple[dict[str, int], dict[str, str]]:
    """Numbers by storage type, and the metadata that is text."""
    try:
        from gguf import GGUFReader, GGUFValueType
    except ImportError as error:
        hint = "pip install 'solon[gguf]'"
        raise ModelError("reading GGUF needs a library that is not installed", where=Where(file), hint=hint) from error
    with as_model_error(file, "is cut off or damaged"):
        reader = GGUFReader(file)
        storage: Counter[str] = Counter()
        for tensor in reader.tensors:
            storage[tensor.tensor_type.name] += int(tensor.n_elements)
        text = {
            name: str(field.contents())
            for name, field in reader.fields.items()
            if field.types == [GGUFValueType.STRING] or name == "split.count"
        }
    if int(text.get("split.count", 1)) > 1:
        hint = "join them: llama-gguf-split --merge FIRST-PART OUT.gguf"
        raise ModelError(f"is one of {text['split.count']} parts", where=Where(file), hint=hint)
    if not storage:
        raise ModelError("holds no weights", where=Where(file), hint=_AGAIN)
    return dict(storage.most_common()), text


def _load(file: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    named: Any = {"gguf_file": file.name, "local_files_only": True, "trust_remote_code": False}
    with _alone(file) as folder, quiet(), as_model_error(file, hint=_ELSEWHERE):
        tokenizer = AutoTokenizer.from_pretrained(folder, **named)
        loader: Any = AutoModelForCausalLM
        model, found = loader.from_pretrained(folder, dtype=dtype, **named, **TELL)
    check_found(file, model, found)
    if (quantizer := getattr(model, "hf_quantizer", None)) is not None:
        quantizer.remove_quantization_config(model)  # its weights are numbers now; with it, they could not be saved
    return model, tokenizer


@contextmanager
def _alone(file: Path) -> Iterator[Path]:
    """A folder with this file alone: transformers takes a tokenizer that lies beside it for the file's own."""
    with TemporaryDirectory() as folder:
        (Path(folder) / file.name).symlink_to(file.resolve())
        yield Path(folder)


def _lost(storage: dict[str, int], metadata: dict[str, str], dtype: torch.dtype) -> list[str]:
    total, lost = sum(storage.values()), []
    if rounded := {name: count for name, count in storage.items() if name not in _EXACT}:
        shares = ", ".join(f"{count / total:.1%} as {name}" for name, count in rounded.items())
        lost.append(f"precision: the file holds {shares}; that cannot be undone")
    if dtype != torch.float32:
        lost.append(f"precision: rounded to {str(dtype).removeprefix('torch.')}")
    if "tokenizer.chat_template" not in metadata:
        lost.append("no chat template: dialogues are written as Human/Assistant")
    return [*lost, "how the model prefers to be sampled: a GGUF has no generation_config.json"]
