"""An adapter and a head in a folder of their own, as peft keeps them beside a model for sequence classification.

    adapter_model.safetensors    base_model.model.PREFIX.LAYER.lora_A.weight, ..., base_model.model.score.weight
    adapter_config.json          peft's; target_modules are layers of the body
    base.json                    the `fingerprint` of the weights that it was trained beside

PREFIX is what transformers' class calls its body.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

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
BASE = "base.json"
_INSIDE = "base_model.model."
_HEAD = f"{_INSIDE}score.weight"
_SAMPLED = 64
"""Numbers of each tensor that a fingerprint reads."""
_HINT = "give the model that it was trained beside"


Kept = TypeVar("Kept", bound=Record)


class _Config(Record):
    """What is needed of peft's file."""

    model_config = ConfigDict(extra="ignore")
    r: int
    lora_alpha: int


class _Base(Record):
    """`base.json`."""

    fingerprint: str


def save_adapter(body: PreTrainedModel, weight_1D: Tensor, folder: Path) -> None:
    """Writes the adapters that `body` has learned by, and the head beside them."""
    tensors = {f"{_prefix(body)}{name}.weight": one for name, one in adapter_weights(body).items()}
    held = {name: one.detach().contiguous().cpu() for name, one in {**tensors, _HEAD: weight_1D}.items()}
    save_file(held, folder / WEIGHTS, metadata={"format": "pt"})
    base = _Base(fingerprint=fingerprint(body))
    (folder / BASE).write_text(base.model_dump_json(indent=2) + "\n", encoding="utf-8")
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
def fingerprint(body: PreTrainedModel) -> str:
    """Of the weights without adapters: sha256 of every tensor's name, shape and a sample of its numbers in bfloat16,
    so that it is the same for weights that were loaded in another type."""
    seen = hashlib.sha256()
    for name, one in sorted(body.named_parameters()):
        if ".lora_" in name:
            continue
        flat = one.detach().flatten()
        sample = flat[:: max(1, len(flat) // _SAMPLED)][:_SAMPLED].bfloat16().view(torch.int16)
        seen.update(f"{name.replace('.base_layer.', '.')} {tuple(one.shape)} {sample.tolist()}\n".encode())
    return seen.hexdigest()


def knows_its_base(folder: Path) -> bool:
    """Whether an adapter says which weights it is for: those of earlier versions do not."""
    return (folder / BASE).is_file()


@torch.no_grad()
def load_adapter(body: PreTrainedModel, folder: Path, name: str, *, width: int) -> Tensor:
    """Puts what `save_adapter` wrote beside the weights of `body`, frozen, and returns the head's weight [1, D].

    width: D. Raises `ModelError` if the folder cannot be read, or is of another model.
    """
    try:
        config, tensors = _read(folder / CONFIG, _Config), load_file(folder / WEIGHTS)
        base = _read(folder / BASE, _Base) if knows_its_base(folder) else None
    except (OSError, SafetensorError) as error:
        raise ModelError(f"no readable {WEIGHTS} and {CONFIG}", where=Where(folder)) from error
    _must_score(tensors, width, folder)
    add_adapters(body, LoraSection(rank=config.r, alpha=config.lora_alpha), seed=0, name=name)
    wanted = {f"{_prefix(body)}{key}.weight": one for key, one in adapter_weights(body, name).items()}
    _must_fit(tensors, wanted, folder)
    if base is not None and base.fingerprint != fingerprint(body):
        what = "an adapter for other weights, of the same shapes as these"
        raise ModelError(what, where=Where(folder / WEIGHTS), hint=_HINT)
    for key, one in wanted.items():
        one.copy_(tensors[key])
        one.requires_grad_(False)
    return tensors[_HEAD]


def _read(path: Path, kind: type[Kept]) -> Kept:
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise ModelError(first_error(error), where=Where(path)) from error


def _must_score(tensors: dict[str, Tensor], width: int, folder: Path) -> None:
    name, head = _HEAD.removeprefix(_INSIDE), tensors.get(_HEAD)
    if head is None:
        hint = "give an adapter that a run's preference stage wrote"
        raise ModelError(f"an adapter without {name}, which scores", where=Where(folder / WEIGHTS), hint=hint)
    if head.shape != (1, width):
        what = f"{name} is {tuple(head.shape)}, but the model's states have width {width}, so needed: {(1, width)}"
        raise ModelError(what, where=Where(folder / WEIGHTS), hint=_HINT)


def _must_fit(tensors: dict[str, Tensor], wanted: dict[str, Any], folder: Path) -> None:
    there = {key: tuple(one.shape) for key, one in tensors.items() if key != _HEAD}
    needed = {key: tuple(one.shape) for key, one in wanted.items()}
    if other := sorted(key for key in there.keys() | needed.keys() if there.get(key) != needed.get(key)):
        what = f"an adapter for other weights: {other[0].removeprefix(_INSIDE)} is {there.get(other[0], 'missing')}"
        raise ModelError(f"{what}, needed: {needed.get(other[0], 'none')}", where=Where(folder / WEIGHTS), hint=_HINT)


def _prefix(body: PreTrainedModel) -> str:
    return f"{_INSIDE}{body.base_model_prefix}."
