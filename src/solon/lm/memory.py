"""How many tokens' keys and values this machine has room for.

A budget is a function of the machine and the model alone, never of what happens to be free: it decides which rows are
computed together, and a run that is resumed must compute the same ones together again.
"""

from __future__ import annotations

import os
from pathlib import Path

import torch
from transformers import PreTrainedModel

from solon.lm.reader import Network

SHARE = 0.25
"""Of a processor's memory. Other processes, training and the system have the rest. Assumption."""
GPU_SHARE = 0.85
"""Of a GPU's memory, what the process holds already among it; the rest is for what passes compute. Assumption."""
LEAST = 1 << 12
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def token_budget(network: Network, model: PreTrainedModel) -> int:
    """Tokens, a power of two."""
    bytes_each = sum(shape.keys[0] * shape.keys[1] + shape.values[0] * shape.values[1] for shape in network.shapes())
    bytes_each *= torch.finfo(network.dtype).bits // 8
    tokens = memory_for_tokens(network.device, model) // bytes_each
    return max(LEAST, 1 << (int(tokens).bit_length() - 1)) if tokens else LEAST


def memory_for_tokens(device: torch.device, model: PreTrainedModel) -> int:
    """Bytes."""
    if device.type == "cuda":
        total = torch.cuda.get_device_properties(device).total_memory
        return max(0, int(GPU_SHARE * total) - torch.cuda.memory_allocated(device))
    return int(SHARE * machine_memory())


def machine_memory() -> int:
    """Bytes that this process may have: the machine's, or the limit of its container."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [Path(name).read_text().strip() for name in _LIMITS if Path(name).is_file()]
    return min([total, *(int(limit) for limit in limits if limit.isdigit())])
