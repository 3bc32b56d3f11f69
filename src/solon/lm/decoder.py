"""Networks that keep something else than keys and values: batches of rows that begin together and go in step.

    B rows   T new tokens   S known columns   N columns whose logits are kept   V vocabulary   D width

A mask is True where a token is real. Rows are padded on the left, and on the right where nothing follows; positions
count real tokens alone. So a row's logits do not depend on its neighbours.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor
from transformers import DynamicCache, PretrainedConfig, PreTrainedModel
from transformers import cache_utils as caches

from solon.lm.packed import arithmetic
from solon.models.inputs import context_length, forward_parameters, head_reads, model_inputs

EVERYTHING = 1 << 30
"""More columns than any batch has."""
_RECURRENT = caches.LinearAttentionCacheLayerMixin
_CHOOSABLE = (
    caches.DynamicLayer,
    caches.DynamicSlidingWindowLayer,
    caches.LinearAttentionLayer,
    caches.LinearAttentionAndFullAttentionLayer,
    caches.LinearAttentionAndSlidingWindowAttentionLayer,
    *([caches.DummyLayer] if hasattr(caches, "DummyLayer") else ()),  # transformers 5.19, of vLLM, has none
)
"""Layers of a cache that can be cut down to chosen rows."""
_OWN_STATE = ("minimax", "recurrent_gemma", "xlstm")
"""Architectures that take a cache but keep their state somewhere else."""
_TABLES = ("gpt_neo", "mpt")
"""Architectures with a table of columns that ends at the last position, whatever is padding."""


class Decoder(Protocol):
    """One batch of sequences with what it remembers of them, nothing at first."""

    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        """Read T more tokens of every row; returns float32 logits after the `last` final ones, [B, last, V]."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""


class CachedDecoder:
    """A Hugging Face causal LM with a cache whose rows can be chosen (`cache_parameter`)."""

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype):
        self._model = model
        self._dtype = dtype
        self._cache = DynamicCache(config=model.config)
        self._parameter = cache_parameter(model) or "past_key_values"
        self._takes_positions = "position_ids" in forward_parameters(model)
        self._positions = context_length(model.config) or EVERYTHING
        self._mask_BS: Tensor | None = None

    @torch.no_grad()
    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        if self._mask_BS is None or not any(isinstance(layer, _RECURRENT) for layer in self._cache.layers):
            return self._read(ids_BT, mask_BT, last)
        # Some recurrent layers take several tokens at once for the beginning of a text, and forget what they know.
        steps = [self._read(ids_BT[:, [t]], mask_BT[:, [t]], 1) for t in range(ids_BT.shape[1])]
        return torch.cat(steps, dim=1)[:, -last:]

    def keep(self, rows: Tensor) -> None:
        self._cache.reorder_cache(cast("torch.LongTensor", rows))
        if self._mask_BS is not None:
            self._mask_BS = self._mask_BS[rows]

    def _read(self, ids_BT: Tensor, mask_BT: Tensor, last: int) -> Tensor:
        known = mask_BT if self._mask_BS is None else torch.cat([self._mask_BS, mask_BT], dim=1)
        self._mask_BS = known
        inputs: dict[str, Any] = {"input_ids": ids_BT, self._parameter: self._cache}
        # A network without attention is asked about the new tokens alone.
        inputs["attention_mask"] = (known if self._parameter == "past_key_values" else mask_BT).long()
        if self._takes_positions:
            # A finished row stays in the batch for a while and may run past the last position; nobody reads it then.
            position_BS = (known.long().cumsum(1) - 1).clamp_(0, self._positions - 1)
            inputs["position_ids"] = position_BS[:, -ids_BT.shape[1] :]
        with arithmetic(self._model, self._dtype):
            logits_BNV: Tensor = self._model(**inputs, use_cache=True, logits_to_keep=last).logits
        return logits_BNV[:, -last:].float()


class RecomputingDecoder:
    """Any other causal LM: every row is read again from its first token, padded on the right, which does no harm."""

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype):
        self._model = model
        self._dtype = dtype
        self._ids_BS: Tensor | None = None
        self._mask_BS: Tensor | None = None

    @torch.no_grad()
    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        if self._ids_BS is not None and self._mask_BS is not None:
            ids_BT, mask_BT = torch.cat([self._ids_BS, ids_BT], dim=1), torch.cat([self._mask_BS, mask_BT], dim=1)
        self._ids_BS, self._mask_BS = ids_BT, mask_BT
        real_first = mask_BT.logical_not().long().argsort(dim=1, stable=True)[:, : int(mask_BT.sum(1).max())]
        place_BN = (mask_BT.long().cumsum(1)[:, -last:] - 1).clamp_min(0)
        row_B1 = torch.arange(len(place_BN), device=place_BN.device)[:, None]
        inputs = model_inputs(self._model, ids_BT.gather(1, real_first), mask_BT.gather(1, real_first))
        with arithmetic(self._model, self._dtype), head_reads(self._model, lambda hidden: hidden[row_B1, place_BN]):
            logits_BNV: Tensor = self._model(**inputs, use_cache=False).logits
        return logits_BNV.float()

    def keep(self, rows: Tensor) -> None:
        if self._ids_BS is not None and self._mask_BS is not None:
            self._ids_BS, self._mask_BS = self._ids_BS[rows], self._mask_BS[rows]


def cache_parameter(model: PreTrainedModel) -> str | None:
    """The name of the parameter that takes a cache whose rows can be chosen; None if the model has no such cache."""
    layers = _cache_layers(model.config)
    if layers is None or model.config.get_text_config().model_type in _OWN_STATE:
        return None
    return next((name for name in ("past_key_values", "cache_params") if name in forward_parameters(model)), None)


def column_limit(model: PreTrainedModel) -> int:
    """Columns that a `CachedDecoder` can hold, padding and all."""
    limited = model.config.get_text_config().model_type in _TABLES
    return context_length(model.config) or EVERYTHING if limited else EVERYTHING


def _cache_layers(config: PretrainedConfig) -> list[Any] | None:
    """One empty layer of the cache for each of the network, None if there is one whose rows cannot be chosen."""
    try:
        layers = DynamicCache(config=config).layers
    except KeyError:  # a type of layer that only the model itself knows
        return None
    return layers if all(type(layer) in _CHOOSABLE for layer in layers) else None
