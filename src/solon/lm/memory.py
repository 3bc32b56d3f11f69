"""How many tokens' keys and values this machine has room for.

A budget is a function of the machine and the model alone, never of what happens to be free: it decides which rows are
computed together, and a run that is resumed must compute the same ones together again.
"""

from __future__ import annotations

import torch
from transformers import PretrainedConfig

from solon.models.machine import Machine
from solon.models.memory import kv_bytes_per_token

SHARE = 0.25
"""Of a processor's memory. Other processes, training and the system have the rest. Assumption."""
GPU_SHARE = 0.85
"""Of a GPU's memory, what the process holds already among it; the rest is for what passes compute. Assumption."""
LEAST = 1 << 12


def token_budget(config: PretrainedConfig, dtype: torch.dtype, device: torch.device) -> int:
    """Tokens, a power of two, for a model with this config whose keys and values are of this type."""
    tokens = memory_for_tokens(device) // max(1, kv_bytes_per_token(config, dtype))
    return max(LEAST, 1 << (int(tokens).bit_length() - 1)) if tokens else LEAST


def memory_for_tokens(device: torch.device) -> int:
    """Bytes."""
    here = Machine.here(device)
    if device.type == "cuda":
        return max(0, int(GPU_SHARE * here.device_memory) - torch.cuda.memory_allocated(device))
    return int(SHARE * here.memory)
