"""The device and the arithmetic that this machine has for a run."""

from __future__ import annotations

import torch

from solon.errors import ConfigError


def resolve_device(name: str) -> torch.device:
    """`auto`: CUDA where there is one, else the CPU; otherwise the device of that name, or a ConfigError."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        what = f'models.device is "{name}", which is no device'
        raise ConfigError(what, hint='e.g. "auto", "cpu", "cuda"') from error
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:  # a torch without CUDA asserts
        said = str(error).strip().splitlines()[0]
        raise ConfigError(f'models.device is "{name}": {said}', hint='use "auto" or "cpu"') from error
    return device


def resolve_dtype(name: str, device: torch.device) -> torch.dtype:
    """`auto`: bfloat16 where the device multiplies it in hardware, else float32; otherwise the dtype of that name."""
    if name == "float32":
        return torch.float32
    if name == "bfloat16":
        return torch.bfloat16
    if name != "auto":
        raise ValueError(f"dtype must be auto, float32 or bfloat16, got {name!r}")
    fast = torch.cuda.is_bf16_supported() if device.type == "cuda" else _cpu_multiplies_bfloat16()
    return torch.bfloat16 if fast else torch.float32


def _cpu_multiplies_bfloat16() -> bool:
    try:
        able = torch.cpu.get_capabilities()
    except (AttributeError, RuntimeError):  # torch before 2.11, or an unknown processor
        return False
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))
