"""The type of weights while they learn.

    float32                they learn as they are
    bfloat16+masters       a model computes with roundings of float32 weights, which learn beside them
    bfloat16+stochastic    a step is made in float32 and rounded up or down at random, so that its mean is exact
                           (arXiv 1502.02551 section 3): no step is too small, and no second copy is kept

In bfloat16 gradients are bfloat16 too, also while micro-batches add up. AdamW's moments are float32, and its arithmetic
as well, for one weight tensor after the other. Heads of one number stay float32: scores are read from differences.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from solon.config.training import OptimizerSection
from solon.models.heads import ScalarHead
from solon.seeds import derive_seed, portable_seed


class Weights:
    """Those that learn, by name, in float32."""

    def __init__(self, parameters: Mapping[str, Tensor]):
        self.parameters = parameters
        """What modules compute with, and what has gradients."""
        self.kept = parameters
        """What is all of a weight, in a checkpoint too."""
        self.moved = parameters
        """What the optimizer moves: float32."""

    def clip(self, names: Iterable[str], limit: float) -> Tensor:
        """Clips the gradients of some of them together. Returns their norm before."""
        return nn.utils.clip_grad_norm_([self.parameters[name] for name in names], limit)

    def step(self, optimizer: Optimizer, update: int) -> None:
        """One step by the gradients, which are gone then. `update`: its number, from 1."""
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    @torch.no_grad()
    def put(self, weights: Mapping[str, Tensor]) -> None:
        """Puts back copies of `kept`."""
        for name, one in self.kept.items():
            one.copy_(weights[name])


class _Rounded(Weights, ABC):
    """In bfloat16, but for `exact` ones."""

    def __init__(self, parameters: Mapping[str, Tensor], exact: set[Tensor]):
        super().__init__(parameters)
        self._factors: dict[str, Tensor] = {}
        """What clipping leaves of the gradients."""
        self.moved = {name: one if one in exact else self._moved(one) for name, one in parameters.items()}
        for one in parameters.values():
            if one not in exact:
                one.data = one.data.bfloat16()

    @abstractmethod
    def _moved(self, parameter: Tensor) -> Tensor:
        """What the optimizer moves in its place."""

    def _enter(self, weight: Tensor, moved: Tensor) -> None:
        """Before the optimizer's step."""

    @abstractmethod
    def _leave(self, weight: Tensor, moved: Tensor, update: int, name: str) -> None:
        """After it."""

    def clip(self, names: Iterable[str], limit: float) -> Tensor:
        used = [name for name in names if self.parameters[name].grad is not None]
        norms = [torch.linalg.vector_norm(_gradient(self.parameters[name])) for name in used]
        norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())
        self._factors |= dict.fromkeys(used, (limit / (norm + 1e-6)).clamp(max=1.0))  # as torch clips
        return norm

    @torch.no_grad()
    def step(self, optimizer: Optimizer, update: int) -> None:
        for name, weight in self.parameters.items():
            if weight.grad is None:
                continue
            gradient, weight.grad, moved = _gradient(weight).mul_(self._factors[name]), None, self.moved[name]
            if moved is not weight:
                self._enter(weight, moved)
            moved.grad = gradient
            optimizer.step()  # of this one: no other has a gradient
            moved.grad = None
            if moved is not weight:
                self._leave(weight, moved, update, name)


class _OfMasters(_Rounded):
    def __init__(self, parameters: Mapping[str, Tensor], exact: set[Tensor]):
        super().__init__(parameters, exact)
        self.kept = self.moved

    def _moved(self, parameter: Tensor) -> Tensor:
        return parameter.detach().clone().requires_grad_()

    def _leave(self, weight: Tensor, moved: Tensor, update: int, name: str) -> None:
        weight.copy_(moved)

    @torch.no_grad()
    def put(self, weights: Mapping[str, Tensor]) -> None:
        super().put(weights)
        for name, one in self.parameters.items():
            one.copy_(self.kept[name])


class _Stochastic(_Rounded):
    def __init__(self, parameters: Mapping[str, Tensor], exact: set[Tensor], seed: int):
        self._seed = seed
        super().__init__(parameters, exact)

    def _moved(self, parameter: Tensor) -> Tensor:
        return parameter.new_empty(0).requires_grad_()

    def _enter(self, weight: Tensor, moved: Tensor) -> None:
        moved.data = weight.float()

    def _leave(self, weight: Tensor, moved: Tensor, update: int, name: str) -> None:
        drawn = torch.Generator(weight.device)
        drawn.manual_seed(portable_seed(derive_seed(self._seed, "rounding", update, name)))
        weight.copy_(rounded_at_random(moved.data, drawn))
        moved.data = moved.data.new_empty(0)


def weights_of(
    parameters: Mapping[str, Tensor], modules: Iterable[nn.Module], section: OptimizerSection, *, seed: int
) -> Weights:
    """Of these parameters of modules, float32 until now."""
    parts = (part for module in modules for part in module.modules())
    exact: set[Tensor] = {one for part in parts if isinstance(part, ScalarHead) for one in part.parameters()}
    if section.weights == "bfloat16+masters":
        return _OfMasters(parameters, exact)
    return Weights(parameters) if section.weights == "float32" else _Stochastic(parameters, exact, seed)


def rounded_at_random(x: Tensor, drawn: torch.Generator) -> Tensor:
    """float32 as bfloat16: up with the probability of what is cut off, else down; what bfloat16 knows stays.

    A bfloat16 is the first half of a float32's bits. A number of 16 bits is added to the second half, and what that
    carries over is kept. Example: 1.001953125 is a quarter of the way from 1 to 1.0078125, which it becomes one time
    in four.
    """
    noise = torch.randint(1 << 16, x.shape, dtype=torch.int32, device=x.device, generator=drawn)
    return noise.add_(x.view(torch.int32)).bitwise_and_(-(1 << 16)).view(torch.float32).bfloat16()


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad.float()
