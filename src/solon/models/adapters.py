"""LoRA: low-rank adapters beside a model's linear layers (arXiv 2106.09685), by peft. They are put into the model,
whose class stays what it is, and are folded into its weights before it is saved.

A layer with the weights W computes (W + alpha / rank * B A) x. W is frozen, A [rank, in] drawn; B [out, rank] begins
at 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from solon.config.training import LoraSection
from solon.errors import ConfigError, ModelError
from solon.models.inputs import body_of
from solon.seeds import derive_seed

_MARK = "peft_config"
"""An attribute of models that have adapters, as peft itself leaves it."""
LEARNING = "default"
"""The adapters that a model learns by, and computes with unless something else is said."""


def require_peft() -> None:
    """Raises `ConfigError` if peft is not installed."""
    if find_spec("peft") is None:
        raise ConfigError("LoRA needs peft, which is missing", hint="pip install 'solon[lora]'")


def linear_layers(model: PreTrainedModel) -> dict[str, Any]:
    """Those that get adapters, by name: all but the output head."""
    head = model.get_output_embeddings()
    linear = {name: one for name, one in model.named_modules() if isinstance(one, nn.Linear | Conv1D)}
    return {name: one for name, one in linear.items() if one is not head}


def add_adapters(model: PreTrainedModel, section: LoraSection, *, seed: int, name: str = LEARNING) -> None:
    """Freezes all weights and puts float32 adapters beside the linear layers. They change nothing yet.

    A is drawn from `seed`. A model may have several, by name; those named `LEARNING` learn. Raises `ModelError` if the
    model has no layers for them.
    """
    require_peft()
    from peft import LoraConfig, inject_adapter_in_model

    layers = {place: one.get_base_layer() for place, one in _adapted(model).items()} or linear_layers(model)
    if not layers:
        raise ModelError(f"{type(model).__name__} has no linear layers for adapters", hint="train it without lora")
    how = LoraConfig(
        r=section.rank,
        lora_alpha=section.alpha,
        target_modules=[f"0.{place}" for place in layers],
        fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in layers.values()),
    )
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(derive_seed(seed, "adapters"))
        # In a model of experts that it knows as such, peft would take some of these names for those of experts.
        inject_adapter_in_model(how, nn.ModuleList([model]), name)
    for part in (model, body_of(model)):  # either may be asked
        setattr(part, _MARK, {**getattr(part, _MARK, {}), name: how})
    for layer in _adapted(model).values():
        layer.cast_input_dtype_enabled = False  # autocast does it; peft would copy every input in float32
    for parameter in adapter_weights(model, name).values():
        parameter.data = parameter.data.float()
    _activate(model, LEARNING)


def has_adapters(model: nn.Module) -> bool:
    return hasattr(model, _MARK)


def adapter_weights(model: nn.Module, name: str = LEARNING) -> dict[str, nn.Parameter]:
    """A and B of the adapters of that name, by the layer's name and `lora_A` or `lora_B`."""
    return {
        f"{place}.{side}": getattr(layer, side)[name].weight
        for place, layer in _adapted(model).items()
        for side in ("lora_A", "lora_B")
        if name in getattr(layer, side)
    }


@contextmanager
def reading_by(model: nn.Module, name: str | None) -> Iterator[None]:
    """While open, a model computes by the adapters of that name, which do not learn, or as it did before it got any
    (None). One that has none stays as it is."""
    _activate(model, name)
    try:
        yield
    finally:
        _activate(model, LEARNING)


def without_adapters(model: nn.Module) -> AbstractContextManager[None]:
    """While open, a model computes what it did before it got adapters. One that has none stays as it is."""
    return reading_by(model, None)


def _activate(model: nn.Module, name: str | None) -> None:
    for layer in _adapted(model).values():
        layer.enable_adapters(name is not None)
        if name is not None:
            layer.set_adapter(name, inference_mode=name != LEARNING)


@torch.no_grad()
def fold(model: PreTrainedModel) -> None:
    """Adds to the weights what adapters add, and takes these out. A model that had some has float32 weights then:
    bfloat16 would round most small steps away. One that has none stays as it is.
    """
    for name, layer in _adapted(model).items():
        plain = layer.get_base_layer().float()
        layer.merge()
        model.set_submodule(name, plain)
    if has_adapters(model):
        for part in {model, body_of(model)}:
            delattr(part, _MARK)
        model.float().requires_grad_()


@torch.no_grad()
def folded_weights(model: PreTrainedModel) -> Iterator[tuple[str, Tensor]]:
    """Names and values of all weights, with adapters that learn folded in and in float32 there, one after the other.
    Weights that are tied come by each of their names. The model stays as it is."""
    adapted = _adapted(model)
    of_adapters = {f"{place}.{name}" for place, layer in adapted.items() for name in layer.state_dict()}
    yield from ((name, weight) for name, weight in model.state_dict().items() if name not in of_adapters)
    for place, layer in adapted.items():
        for name, weight in layer.get_base_layer().state_dict().items():
            learned = layer.get_delta_weight(LEARNING) if name == "weight" else 0.0
            yield f"{place}.{name}", weight + learned


def _adapted(model: nn.Module) -> dict[str, Any]:
    """peft's layers, which stand in the place of linear ones, by name."""
    if not has_adapters(model):
        return {}
    from peft.tuners.tuners_utils import BaseTunerLayer

    return {name: one for name, one in model.named_modules() if isinstance(one, BaseTunerLayer)}
