"""An adapter and a head in a folder of their own, as peft keeps them beside a model for sequence classification.

    adapter_model.safetensors    base_model.model.PREFIX.LAYER.lora_A.weight, ..., base_model.model.score.weight
    adapter_config.json          peft's; target_modules are layers of the body

PREFIX is what transformers' class calls its body.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from pydantic import ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import PreTrainedModel

from solon.config.training import LoraSection
from solon.errors import ModelError, Where
from solon.models.adapters import adapter_weights, add_adapters
from solon.records import Record, first_error

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
_INSIDE = "base_model.model."
_HEAD = f"{_INSIDE}score.weight"


class _Config(Record):
    """What is needed of peft's file."""

    model_config = ConfigDict(extra="ignore")
    r: int
    lora_alpha: int


def save_adapter(body: PreTrainedModel, weight_1D: Tensor, folder: Path) -> None:
    """Writes the adapters that `body` has learned by, and the head beside them."""
    tensors = {f"{_prefix(body)}{name}.weight": one for name, one in adapter_weights(body).items()}
    held = {name: one.detach().contiguous().cpu() for name, one in {**tensors, _HEAD: weight_1D}.items()}
    save_file(held, folder / WEIGHTS, metadata={"format": "pt"})
    how: Any = body.peft_config
    described = how["default"].to_dict() | {
        "task_type": "SEQ_CLS",
        "target_modules": sorted({name.rpartition(".")[0] for name in adapter_weights(body)}),
        "modules_to_save": ["score"],
        "inference_mode": True,
    }
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in described.items()}
    (folder / CONFIG).write_text(json.dumps(plain, indent=2, sort_keys=True, default=str) + "\n", encoding="utf-8")


@torch.no_grad()
def load_adapter(body: PreTrainedModel, folder: Path, name: str) -> Tensor:
    """Puts what `save_adapter` wrote beside the weights of `body`, frozen, and returns the head's weight [1, D].

    Raises `ModelError` if the folder cannot be read, or is of another model.
    """
    try:
        config = _Config.model_validate_json((folder / CONFIG).read_bytes())
        tensors = load_file(folder / WEIGHTS)
    except ValidationError as error:
        raise ModelError(first_error(error), where=Where(folder / CONFIG)) from error
    except (OSError, SafetensorError) as error:
        raise ModelError(f"no readable {WEIGHTS} and {CONFIG}", where=Where(folder)) from error
    add_adapters(body, LoraSection(rank=config.r, alpha=config.lora_alpha), seed=0, name=name)
    wanted = {f"{_prefix(body)}{key}.weight": one for key, one in adapter_weights(body, name).items()}
    _must_fit(tensors, wanted, folder)
    for key, one in wanted.items():
        one.copy_(tensors[key])
        one.requires_grad_(False)
    return tensors[_HEAD]


def _must_fit(tensors: dict[str, Tensor], wanted: dict[str, Any], folder: Path) -> None:
    there = {key: tuple(one.shape) for key, one in tensors.items() if key != _HEAD}
    needed = {key: tuple(one.shape) for key, one in wanted.items()}
    if other := sorted(key for key in there.keys() | needed.keys() if there.get(key) != needed.get(key)):
        what = f"an adapter for other weights: {other[0].removeprefix(_INSIDE)} is {there.get(other[0], 'missing')}"
        hint = "give the model that it was trained beside"
        raise ModelError(f"{what}, needed: {needed.get(other[0], 'none')}", where=Where(folder / WEIGHTS), hint=hint)


def _prefix(body: PreTrainedModel) -> str:
    return f"{_INSIDE}{body.base_model_prefix}."
