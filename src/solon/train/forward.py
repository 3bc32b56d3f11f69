"""Running a causal LM for training: logits only where they count, bf16 where asked, the fast attention for short rows.

Legend: B rows, T positions, N tokens that count (row by row), V vocabulary, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from solon.models.inputs import head_reads, model_inputs
from solon.train.batches import TokenBatch

SHORT_ROWS = 300
"""Up to this length attention written out as two matrix products beats the fused CPU kernel when gradients are needed:
measured, width 192, 6 layers, bf16, two cores, 23k against 14k tokens/s at T = 80 and 17k against 13k at T = 300."""


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[Any]:
    """Forward and backward passes in `dtype` (float32 or bfloat16); weights, gradients and moments stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=dtype == torch.bfloat16)


@contextmanager
def attention_for(models: Sequence[nn.Module], longest: int) -> Iterator[None]:
    """While open, models on the CPU use eager attention if no row is longer than `SHORT_ROWS`."""
    changed: list[tuple[PreTrainedModel, str]] = []
    for model in models:
        for module in model.modules():
            if isinstance(module, PreTrainedModel) and module.device.type == "cpu" and longest <= SHORT_ROWS:
                changed.append((module, module.config._attn_implementation))
                module.set_attn_implementation("eager")
                break  # the outermost one sets its parts too
    try:
        yield
    finally:
        for module, before in changed:
            module.set_attn_implementation(before)


def answer_logits(model: PreTrainedModel, batch: TokenBatch, dtype: torch.dtype) -> Tensor:
    """[N, V] logits, float32, of the distributions that `batch.target_ids_N` were drawn from.

    The hidden states are selected before the output head, so the [B, T, V] logits never exist; what a model does after
    its head (scaling, soft-capping) still happens. Positions count real tokens only, so padding may stand on any side.
    """
    inputs = model_inputs(model, batch.input_ids_BT, batch.attention_mask_BT)
    selected = head_reads(model, lambda hidden_BTD: hidden_BTD[batch.before_mask_BT])
    with autocast(batch.input_ids_BT.device, dtype), selected:
        logits_NV: Tensor = model(**inputs, use_cache=False).logits
    return logits_NV.float()
