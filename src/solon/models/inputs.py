"""What a causal language model is called with, whatever its architecture and whatever is wrapped around it.

B rows   T positions   D width
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel


def body_of(model: PreTrainedModel) -> PreTrainedModel:
    """A causal language model without its output head; a body is its own."""
    body: Any = model.base_model
    found: PreTrainedModel = getattr(model, "model", body) if body is model else body  # as Llama 4, which does not say
    return found


def forward_parameters(model: nn.Module) -> frozenset[str]:
    """Names of what the model's forward pass takes; of the model inside where an adapter or a compiler wraps it."""
    inner = next((module for module in model.modules() if isinstance(module, PreTrainedModel)), model)
    return frozenset(inspect.signature(inner.forward).parameters)


def model_inputs(model: nn.Module, ids_BT: Tensor, mask_BT: Tensor) -> dict[str, Tensor]:
    """Arguments for whole rows. Positions count real tokens alone, so padding may stand on either side."""
    inputs = {"input_ids": ids_BT, "attention_mask": mask_BT.long()}
    if "position_ids" in forward_parameters(model):
        inputs["position_ids"] = (mask_BT.long().cumsum(dim=1) - 1).clamp(min=0)
    return inputs


@contextmanager
def head_reads(model: PreTrainedModel, select: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """While open, the output head sees only what `select` takes of the hidden states [B, T, D].

    So logits that nobody reads never exist; what a model does after its head (scaling, soft-capping) still happens.
    """
    head = model.get_output_embeddings()
    if head is None:
        raise TypeError(f"{type(model).__name__} has no output embeddings: it is not a causal language model")

    def before(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (select(args[0]), *args[1:])

    handle = head.register_forward_pre_hook(before)
    try:
        yield
    finally:
        handle.remove()


def context_length(config: PretrainedConfig) -> int | None:
    """Tokens that the model reads at once, prompt and continuation together; None if it sets no limit.

    With `longrope` positions the frequencies of a whole batch change once one of its rows grows past the length of the
    first training, so what a row gives would depend on its neighbours: such models are used up to that length.
    """
    config = config.get_text_config()
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") == "longrope":
        first = rope.get("original_max_position_embeddings") or getattr(
            config, "original_max_position_embeddings", None
        )
        if first:
            return int(first)
    places = getattr(config, "max_position_embeddings", None) or getattr(config, "max_seq_len", None)
    return int(places) if places else None
