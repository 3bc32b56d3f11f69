"""Load and save Hugging Face model folders: local safetensors only; nothing is ever downloaded or unpickled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from solon.errors import ModelError, UserError, Where
from solon.models.allocator import keep_freed_memory
from solon.models.folder import check_folder, tokenizer_faults
from solon.text import excerpt

_NUMBER = re.compile(r"\d+")
_QUOTED = 200
"""Characters quoted of what transformers says."""


@dataclass(frozen=True, kw_only=True)
class LoadedModel:
    """A causal language model in memory."""

    model: PreTrainedModel
    """In eval mode, on its device."""
    tokenizer: PreTrainedTokenizerBase
    path: Path


def load_model(
    folder: Path, *, dtype: torch.dtype, device: torch.device | str, trust_remote_code: bool = False
) -> LoadedModel:
    """The model in `folder`, in eval mode. Raises `ModelError`, naming every fault of the folder and the remedy."""
    loaded = _loaded(AutoModelForCausalLM, folder, dtype=dtype, trust_remote_code=trust_remote_code)
    model: Any = loaded.model
    model.to(torch.device(device))
    return loaded


def load_body(folder: Path, *, dtype: torch.dtype, trust_remote_code: bool = False) -> LoadedModel:
    """A model's body without any head, in eval mode, on the processor. Raises as `load_model`."""
    return _loaded(AutoModel, folder, dtype=dtype, trust_remote_code=trust_remote_code)


def load_classifier(folder: Path, *, dtype: torch.dtype, trust_remote_code: bool = False) -> LoadedModel:
    """A model for sequence classification, in eval mode, on the processor. Raises as `load_model`."""
    return _loaded(AutoModelForSequenceClassification, folder, dtype=dtype, trust_remote_code=trust_remote_code)


def load_encoder(folder: Path) -> LoadedModel:
    """A model's body without its head, in eval mode and float32 on the processor, for its hidden states.

    Encoder or decoder. A pooler may be missing: it is not part of the hidden states. Raises as `load_model`.
    """
    loaded = _loaded(AutoModel, folder, dtype=torch.float32, unneeded="pooler")
    if loaded.tokenizer.pad_token is None:
        loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
    return loaded


TELL: Any = {"output_loading_info": True, "ignore_mismatched_sizes": True}
"""Ask transformers to tell which weights are missing or of another shape. It would draw them at random."""


def _loaded(
    kind: Any, folder: Path, *, dtype: torch.dtype, trust_remote_code: bool = False, unneeded: str | None = None
) -> LoadedModel:
    """What lies in `folder`; weights that it lacks are a fault, but for those with `unneeded` in their names."""
    keep_freed_memory()
    check_folder(folder, trust_remote_code=trust_remote_code)
    tokenizer = load_tokenizer(folder, trust_remote_code=trust_remote_code)
    with as_model_error(folder):
        model, found = kind.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=trust_remote_code,
            **TELL,
        )
    check_found(folder, model, found, unneeded)
    for config in (model.config, model.config.get_text_config()):
        config.return_dict = True  # what a model returns is asked for by name, whatever config.json says
    return LoadedModel(model=model.eval(), tokenizer=tokenizer, path=folder)


def check_found(folder: Path, model: PreTrainedModel, found: Mapping[str, Any], unneeded: str | None = None) -> None:
    """Raises `ModelError` if what was found is not what config.json asks for, but for names with `unneeded` in them."""
    hint = "copy config.json and weights from the same place"
    if missing := sorted(name for name in found["missing_keys"] if unneeded is None or unneeded not in name):
        what = f"config.json asks for {len(missing)} missing weights ({', '.join(missing[:3])})"
        raise ModelError(what, where=Where(folder), hint=hint)
    if differing := sorted(found["mismatched_keys"]):
        name, there, wanted = differing[0]
        what = f"{name} is {_shape(there)}, but config.json asks for {_shape(wanted)} ({len(differing)} such weights)"
        raise ModelError(what, where=Where(folder), hint=hint)
    if beyond := sorted(_of_further_layers(found["unexpected_keys"], model.state_dict())):
        what = f"config.json has too few layers for {len(beyond)} weights ({', '.join(beyond[:3])})"
        raise ModelError(what, where=Where(folder), hint=hint)


def _of_further_layers(unexpected: Iterable[str], known: Iterable[str]) -> list[str]:
    """Weights that the model would have if it had more layers. Others, e.g. of a head for another task, do no harm."""
    kinds = {_NUMBER.sub("#", name) for name in known}
    return [name for name in unexpected if _NUMBER.sub("#", name) in kinds]


def _shape(sizes: Iterable[int]) -> str:
    return " x ".join(map(str, sizes))


def load_tokenizer(folder: Path, *, trust_remote_code: bool = False) -> PreTrainedTokenizerBase:
    """The tokenizer of a model folder."""
    if faults := tokenizer_faults(folder):
        raise ModelError(faults)
    with as_model_error(folder, "its tokenizer cannot be loaded"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=trust_remote_code
        )
    return tokenizer


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> Path:
    """Write model and tokenizer into `folder` in Hugging Face layout. The same weights give the same bytes."""
    with quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def as_model_error(path: Path, what: str = "cannot be loaded", hint: str | None = None) -> Iterator[None]:
    """What transformers says about files it cannot read is the user's fault, not a bug: keep its words.

    A panic in the tokenizers' Rust is a `BaseException` and nothing less. `hint`: None: to look at the files again.
    """
    try:
        with quiet():
            yield
    except (UserError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        said = " ".join(str(error).split())
        if not said or isinstance(error, (LookupError, ArithmeticError, AttributeError)):
            said = f"{type(error).__name__}: {said}"  # which by themselves say little
        hint = hint or ("copy it again from where it came from" if path.is_file() else "check the folder's files")
        raise ModelError(f"{what}: {excerpt(said, _QUOTED)}", where=Where(path), hint=hint) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' own progress bars and load reports."""
    verbosity = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
        if bars:
            transformers_logging.enable_progress_bar()
