"""Tensors in a folder of safetensors files: whole in one, or each process's shards in one of its own, by
torch.distributed.checkpoint. Either is read whole or in shards, by any number of processes.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.distributed.checkpoint.metadata import TensorStorageMetadata

WHOLE = "tensors.safetensors"


def in_shards(thing: Tensor | nn.Module) -> bool:
    """Whether this process holds but a part of a tensor, or of a module's weights."""
    return hasattr(thing, "full_tensor") or hasattr(thing, "unshard")


def write_tensors(tensors: Mapping[str, Tensor], folder: Path | None) -> None:
    """Writes them into a folder. `folder`: None in the processes beside the first, which learn it from that.

    Raises what went wrong in any of the processes that write.
    """
    from safetensors.torch import save_file

    if any(map(in_shards, tensors.values())):
        _write_shards(tensors, folder)
    elif folder is not None:
        save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, folder / WHOLE)


def read_tensors(folder: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What was written there, on the processor. Of a tensor whose name ends as one in shards is called in `like`, after
    a dot, this process's shards are read, if both have the same shape."""
    from safetensors.torch import load_file

    if (folder / WHOLE).exists() and not any(map(in_shards, like.values())):
        return load_file(folder / WHOLE)
    return _read_shards(folder, like)


def _write_shards(tensors: Mapping[str, Tensor], folder: Path | None) -> None:
    import torch.distributed as dist
    from torch.distributed.checkpoint.api import CheckpointException
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageWriter
    from torch.distributed.checkpoint.state_dict_saver import save

    told = [folder]
    dist.broadcast_object_list(told, src=0)
    try:
        save(dict(tensors), storage_writer=HuggingFaceStorageWriter(str(told[0]), save_distributed=True))
    except CheckpointException as error:
        raise next(iter(error.failures.values()))[0] from error


def _read_shards(folder: Path, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    import torch
    from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader
    from torch.distributed.checkpoint.state_dict_loader import load

    reader = HuggingFaceStorageReader(str(folder))
    tensors: dict[str, Tensor] = {}
    for name, found in reader.read_metadata().state_dict_metadata.items():
        one, there = like.get(name.partition(".")[2]), cast("TensorStorageMetadata", found)
        if one is not None and in_shards(one) and one.shape == there.size:
            tensors[name] = torch.zeros_like(one)
        else:
            tensors[name] = torch.zeros(there.size, dtype=there.properties.dtype)
    with warnings.catch_warnings(category=UserWarning, action="ignore"):  # that a process alone is one
        load(tensors, storage_reader=reader, no_dist=not any(map(in_shards, tensors.values())))
    return tensors
