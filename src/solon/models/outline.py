"""A model without its numbers: tensors that have a shape and no memory.

The library's own loader makes it from config.json and the headers of the weights, in milliseconds: what would go wrong
with the weights goes wrong here.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedModel
from transformers.initialization import no_init_weights
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from solon.errors import Fault, ModelError, Where
from solon.models.folder import check_folder, weight_files
from solon.models.load import TELL, as_model_error, check_found

_TYPES = {"F64": "float64", "F32": "float32", "BF16": "bfloat16", "F16": "float16"}
"""What safetensors calls them, and torch."""


def load_outline(folder: Path, *, trust_remote_code: bool = False) -> PreTrainedModel:
    """The causal language model of a folder, its parameters fake tensors. Raises `ModelError`."""
    check_folder(folder, trust_remote_code=trust_remote_code)
    with as_model_error(folder / "config.json", "describes no model that can be built"):
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trust_remote_code)
        _check_causal(folder, config)
        with torch.device("meta"), no_init_weights():
            bare = AutoModelForCausalLM.from_config(config, trust_remote_code=trust_remote_code)
    generation = _generation(folder / "generation_config.json")
    model, found = _loaded(folder, type(bare), bare.config)
    check_found(folder, model, found)
    if generation is not None:
        model.generation_config = generation
    return model


def _generation(file: Path) -> GenerationConfig | None:
    """How the model is sampled and ends; None without a file. The loader would pass over one that it cannot read."""
    if not file.is_file():
        return None
    with as_model_error(file, "cannot be read"):
        generation = GenerationConfig.from_pretrained(file.parent)
    ends = generation.eos_token_id
    # Numbers of tokens. One beyond the vocabulary does no harm: it is never written.
    if not all(isinstance(one, int) for one in (ends if isinstance(ends, list) else [ends]) if one is not None):
        what = f"eos_token_id is {ends!r:.60}; expected a token's number, or a list of them"
        raise ModelError(what, where=Where(file), hint="copy it again from where it came from")
    return generation


def _loaded(folder: Path, kind: Any, config: Any) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The model, and what the loader found of its weights."""
    with as_model_error(folder), FakeTensorMode(allow_non_fake_inputs=True), _one_thread():
        weights = {name: torch.empty(shape) for name, shape in stored_shapes(folder).items()}
        try:
            model, found = kind.from_pretrained(None, config=config, state_dict=weights, dtype=torch.float32, **TELL)
        except DataDependentOutputException as error:  # it looked at numbers that it had drawn for missing weights
            hint = "copy config.json and weights from the same place"
            raise ModelError("config.json asks for missing weights", where=Where(folder), hint=hint) from error
    return model, found


def stored_shapes(folder: Path) -> dict[str, list[int]]:
    """Shape of every tensor of the weights, from their headers. Raises `ModelError` with every damaged file."""
    shapes: dict[str, list[int]] = {}
    faults: list[Fault] = []
    for file in weight_files(folder):
        try:
            with as_model_error(file, "is cut off or damaged"), safe_open(file, framework="pt") as weights:
                shapes |= {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118
        except ModelError as error:
            faults += error.faults
    if faults:
        raise ModelError(faults)
    return shapes


def stored_types(folder: Path) -> dict[str, int]:
    """How many numbers the files of the weights keep in each type, e.g. `{"bfloat16": 134515008}`; most first."""
    counts: Counter[str] = Counter()
    for file in weight_files(folder):
        with as_model_error(file, "is cut off or damaged"), safe_open(file, framework="pt") as weights:
            for name in weights.keys():  # noqa: SIM118
                part = weights.get_slice(name)
                counts[_TYPES.get(part.get_dtype(), part.get_dtype())] += math.prod(part.get_shape())
    return dict(counts.most_common())


def _check_causal(folder: Path, config: Any) -> None:
    """It must predict the next token from those before it, and from nothing else."""
    text = config.get_text_config()
    known = config.model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or hasattr(config, "auto_map")
    encoder = text.model_type in MODEL_FOR_MASKED_LM_MAPPING_NAMES and not getattr(text, "is_decoder", False)
    both_ways = getattr(text, "use_bidirectional_attention", None) in (True, "all") or text.model_type == "xlnet"
    if not known or getattr(config, "is_encoder_decoder", False) or encoder or both_ways:
        hint = "give a model that writes texts from left to right, e.g. of the Llama, Qwen or Gemma families"
        raise ModelError(f"{config.model_type} is no causal language model", where=Where(folder), hint=hint)


@contextmanager
def _one_thread() -> Iterator[None]:
    """While open, transformers loads in this thread: tensors without memory are known to one thread only."""
    name = "HF_DEACTIVATE_ASYNC_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
