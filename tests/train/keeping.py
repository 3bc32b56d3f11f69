"""What training needs besides its models and data: checkpoints in memory, and a kill at a chosen moment."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from solon.artifacts.checkpoint import Checkpoint
from solon.train.loop import TrainContext


class Killed(Exception):
    """The process is gone."""


class NoCheckpoints:
    """Keeps nothing: a killed run starts over."""

    def latest(self, like: object = None) -> None:
        return None

    def save(self, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        pass


def train_context(**changes: Any) -> TrainContext:
    """Float32 and seed 0, nothing kept and nobody told."""
    plain = {"seed": 0, "dtype": torch.float32, "checkpoints": NoCheckpoints(), "progress": lambda *_: None}
    return TrainContext(**plain | changes)


class MemoryCheckpoints:
    """Keeps the last save, and which steps were saved."""

    def __init__(self) -> None:
        self.saved: Checkpoint | None = None
        self.steps: list[int] = []

    def latest(self, like: object = None) -> Checkpoint | None:
        return self.saved

    def save(self, step: int, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        self.saved = Checkpoint(step=step, tensors=tensors, state=state)
        self.steps.append(step)


def killer(at_call: int) -> Any:
    """A progress callback that dies at its n-th call."""
    calls = 0

    def progress(_rows: int, _tokens: int) -> None:
        nonlocal calls
        calls += 1
        if calls == at_call:
            raise Killed

    return progress


def same_bytes(one: nn.Module, other: nn.Module) -> bool:
    """Every weight equal to the last bit."""
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
