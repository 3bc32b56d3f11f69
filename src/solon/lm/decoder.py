"""What the sampling loop asks of a network: read tokens, remember them, and forget rows.

    B rows   T new tokens   S known columns   V vocabulary

Rows are padded on the left. A mask is True where a token is real; padding never changes what a real token sees, and
positions count real tokens alone, so a row's logits do not depend on its neighbours.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel


class Decoder(Protocol):
    """One batch of sequences with their key-value cache, empty at first."""

    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        """Read T more tokens of every row; returns float32 logits after the `last` final ones, [B, last, V]."""

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order; a row may be named more than once."""


class TransformersDecoder:
    """Any Hugging Face causal LM, by `past_key_values`."""

    def __init__(self, model: PreTrainedModel, dtype: torch.dtype):
        self._model = model
        self._dtype = dtype
        self._positions: int = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        self._cache = DynamicCache(config=model.config)
        self._mask_BS: Tensor | None = None

    @torch.no_grad()
    def extend(self, ids_BT: Tensor, mask_BT: Tensor, *, last: int = 1) -> Tensor:
        known = mask_BT if self._mask_BS is None else torch.cat([self._mask_BS, mask_BT], dim=1)
        self._mask_BS = known
        # A finished row stays in the batch for a while and may run past the last position; nobody reads it then.
        position_BT = (known.long().cumsum(1) - 1).clamp_(0, self._positions - 1)[:, -ids_BT.shape[1] :]
        mixed = self._model.dtype != self._dtype
        with torch.autocast(ids_BT.device.type, dtype=self._dtype, enabled=mixed):
            out = self._model(
                input_ids=ids_BT,
                attention_mask=known.long(),
                position_ids=position_BT,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=last,
            )
        logits_BNV: Tensor = out.logits
        return logits_BNV[:, -last:].float()

    def keep(self, rows: Tensor) -> None:
        self._cache.batch_select_indices(rows)
        if self._mask_BS is not None:
            self._mask_BS = self._mask_BS[rows]
