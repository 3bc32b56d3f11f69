"""Gradient checkpointing: of a layer the forward pass keeps inputs alone; the backward pass computes the rest again.

transformers' own way works in training mode alone, in which layers drop out, and stops without a word when somebody
samples from the model in between. So the layers are changed themselves.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from functools import cache, partial, wraps
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers.modeling_layers import GradientCheckpointingLayer

from solon.errors import ConfigError
from solon.lm.packed import attending_again


def recompute_layers(module: nn.Module) -> None:
    """From now on the layers of the networks inside `module` are computed again for their gradients.

    Raises `ConfigError` if it has none that transformers marks as such.
    """
    layers: list[Any] = [one for one in module.modules() if isinstance(one, GradientCheckpointingLayer)]
    if not layers:
        raise ConfigError("this model's layers cannot be computed again", hint="set gradient_checkpointing to false")
    for layer in layers:
        kind: Any = type(layer)
        layer.__class__ = _recomputing(kind)


@cache
def _recomputing(kind: type[nn.Module]) -> type[nn.Module]:
    """The same layer, computed again."""

    @wraps(kind.forward)
    def forward(layer: nn.Module, *args: Any, **inputs: Any) -> Any:
        once = partial(kind.forward, layer)
        if not torch.is_grad_enabled():
            return once(*args, **inputs)
        return checkpoint(once, *args, use_reentrant=False, preserve_rng_state=False, context_fn=_contexts, **inputs)

    return type(kind.__name__, (kind,), {"forward": forward})


def _contexts() -> tuple[AbstractContextManager[Any], AbstractContextManager[Any]]:
    """Of the first time, and of the second, when what stood around the first has closed; torch sees to autocast."""
    return nullcontext(), attending_again()
