"""Any network of transformers that leaves attention to a registered function, read on packed tokens.

Its own layers run as they are, on one row of all new tokens with their positions; in the place of its attention stands
the one that knows which tokens belong together.

    N new tokens   H query heads   K key-value heads   E head width
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, DynamicCache, PreTrainedModel
from transformers import cache_utils as caches

from solon.lm.attention import Attention, Pass
from solon.lm.cache import Shape
from solon.models.adapters import has_adapters
from solon.models.inputs import forward_parameters, head_reads

_NAME = "solon_packed"
_LAYERS = (caches.DynamicLayer, caches.DynamicSlidingWindowLayer)
_OWN_WAYS = ("llama4_text", "openai-gpt")
"""Architectures that have attention of a kind that `Attention` does not describe, e.g. in chunks."""


def packs(model: PreTrainedModel) -> bool:
    """Whether the model's layers remember keys and values alone, and take a function for attention."""
    config = model.config.get_text_config()
    if not getattr(model, "_supports_attention_backend", False) or config.model_type in _OWN_WAYS:
        return False
    try:
        layers = DynamicCache(config=model.config).layers
    except KeyError:  # a type of layer that only the model itself knows
        return False
    return all(type(layer) in _LAYERS for layer in layers) and "position_ids" in forward_parameters(model)


class Attends(Protocol):
    """Knows which of the packed tokens see each other."""

    def attend(self, layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        """What each token's heads gather, [N, H, E]."""


_READING: ContextVar[tuple[Sequence[Any], Attends]] = ContextVar("_READING")
"""The configs of the models that read packs, and how these attend."""


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _mask: Tensor | None,
    *,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **_others: Any,
) -> tuple[Tensor, None]:
    """What transformers calls in the place of its own: queries [1, H, N, E]; returns [1, N, H, E]."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    how = Attention(scale=scale, window=sliding_window, softcap=softcap, sinks_H=s_aux)
    layer: Any = module.layer_idx
    query_NHE, key_NKE, value_NKE = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    _, by = _READING.get()
    return by.attend(layer, query_NHE, key_NKE, value_NKE, how)[None], None


AttentionInterface.register(_NAME, _attention)


class _Shapes:
    """Attends to nothing, and remembers what there would be to keep."""

    def __init__(self) -> None:
        self.found: dict[int, Shape] = {}
        self.dtype = torch.float32

    def attend(self, layer: int, query_NHE: Tensor, key_NKE: Tensor, value_NKE: Tensor, how: Attention) -> Tensor:
        (_, heads, width), (_, _, value_width) = key_NKE.shape, value_NKE.shape
        self.found[layer] = Shape(keys=(heads, width), values=(heads, value_width))
        self.dtype = key_NKE.dtype
        return query_NHE.new_zeros(*query_NHE.shape[:2], value_NKE.shape[-1])


class PackedNetwork:
    """See `solon.lm.reader.Network`."""

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype):
        self._model, self._autocast = model, dtype
        self.device = model.device
        self._configs = inner_configs(model)
        found = _Shapes()
        one = torch.zeros(1, dtype=torch.long, device=self.device)
        self._forward(one, one, one, found)
        self._shapes = [found.found[layer] for layer in sorted(found.found)]
        self.dtype = found.dtype

    def shapes(self) -> list[Shape]:
        return self._shapes

    def read(self, tokens: Pass) -> Tensor:
        return self._forward(tokens.ids_N, tokens.positions_N, tokens.wanted, tokens)

    @torch.no_grad()
    def _forward(self, ids_N: Tensor, positions_N: Tensor, wanted: Tensor, by: Attends) -> Tensor:
        with ExitStack() as stack:
            stack.enter_context(attending(self._configs, by))
            stack.enter_context(arithmetic(self._model, self._autocast))
            stack.enter_context(head_reads(self._model, lambda hidden: hidden[:, wanted]))
            inputs = {"input_ids": ids_N[None], "position_ids": positions_N[None]}
            logits_1MV: Tensor = self._model(**inputs, use_cache=False).logits
        return logits_1MV[0].float()


def inner_configs(model: nn.Module) -> list[Any]:
    """Those that say how a model attends; a composite model has several."""
    inner = (module for module in model.modules() if isinstance(module, PreTrainedModel))
    return list({id(module.config): module.config for module in inner}.values())


@contextmanager
def attending(configs: Sequence[Any], by: Attends) -> Iterator[None]:
    """While open, models of these configs read packs. `set_attn_implementation` does the same, but looks through all
    modules, at every step."""
    before = [config._attn_implementation for config in configs]
    token = _READING.set((configs, by))
    for config in configs:
        config._attn_implementation_internal = _NAME
    try:
        yield
    finally:
        _READING.reset(token)
        for config, name in zip(configs, before, strict=True):
            config._attn_implementation_internal = name


def attending_again() -> AbstractContextManager[None]:
    """What `attending` set, to be set once more after it has closed: for what is then computed again."""
    now = _READING.get(None)
    return nullcontext() if now is None else attending(*now)


def arithmetic(model: PreTrainedModel, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """The context in which a model computes in `dtype`; one with bfloat16 weights in no wider type. Adapters are
    float32, whatever the other weights are."""
    mixed = has_adapters(model)
    return torch.autocast(
        model.device.type, dtype=dtype, enabled=dtype != torch.float32 and (mixed or model.dtype != dtype)
    )
