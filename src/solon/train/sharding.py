"""Weights in shards: each process of a group holds its part of every layer, by torch's `fully_shard` (FSDP2).

A layer's weights are gathered while it computes, and its gradients are added up and cut where they arise; what the
optimizer keeps is in shards too. So training takes a share of the memory, and sends every weight twice a micro-batch.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from solon.artifacts.tensors import in_shards
from solon.train.parallel import reshard

M = TypeVar("M")
"""A module, or None."""


class Shards:
    """Modules, and what computes in their place."""

    def __init__(self, *, wanted: bool) -> None:
        """`wanted`: else modules compute themselves."""
        self.wanted = wanted
        self._twins: dict[Any, nn.Module] = {}
        self._copied: dict[int, Any] = {}
        """By what it was copied from, so that what modules share is shared in their places too."""

    def of(self, module: M) -> M:
        """What computes in its place. From the first call on, the module itself has no weights, unless it is filled."""
        if not self.wanted or module is None:
            return module
        if module not in self._twins:
            whole: Any = module
            self._copied |= {id(one): one for one in whole.parameters() if id(one) not in self._copied}
            self._twins[module] = copy.deepcopy(whole, self._copied)
            _shard(self._twins[module])
            _empty(whole)
        return cast(M, self._twins[module])

    @torch.no_grad()
    def fill(self, module: nn.Module) -> None:
        """Gives a module its weights as they are now. All processes must."""
        if module in self._twins:
            reshard(self._twins[module])
            now = dict(self._twins[module].named_parameters())
            for name, own in module.named_parameters():
                own.data = _whole(now[name])

    @contextmanager
    def filled(self, module: nn.Module) -> Iterator[None]:
        """While open, a module has its weights as they are now. All processes must open it."""
        self.fill(module)
        try:
            yield
        finally:
            if module in self._twins:
                _empty(module)


def _whole(tensor: Any) -> Tensor:
    whole: Tensor = tensor.full_tensor()
    return whole


def _empty(module: nn.Module) -> None:
    for one in module.parameters():
        one.data = one.data.new_empty(0)


def _shard(module: nn.Module) -> None:
    """A language model, or one with a head beside it. What others share with it may be in shards already."""
    for part in [module] if isinstance(module, PreTrainedModel) else module.children():
        if not in_shards(part):
            (_shard_network if isinstance(part, PreTrainedModel) else _in_shards)(part)


def _shard_network(network: Any) -> None:
    from torch.distributed.fsdp import register_fsdp_forward_method

    for layer in reversed([one for one in network.modules() if isinstance(one, GradientCheckpointingLayer)]):
        _in_shards(layer)
    _in_shards(network)
    network.through = MethodType(_through, network)
    register_fsdp_forward_method(network, "through")


def _through(_network: nn.Module, part: nn.Module, /, **inputs: Any) -> Any:
    """See `parallel.running`."""
    return part(**inputs)


def _in_shards(module: nn.Module) -> None:
    from torch.distributed.fsdp import fully_shard

    kind = next(module.parameters()).device.type
    sharded: Any = fully_shard(module, mesh=init_device_mesh(kind, (dist.get_world_size(),)))
    sharded.set_gradient_divide_factor(1.0)  # the loss is divided by the weight of the whole batch already
    sharded.set_force_sum_reduction_for_comms(True)  # gloo has no sum that divides
