"""What ends a training early: a batch on which it diverged, or memory that ran out. What was done before is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from solon.artifacts.checkpoint import Checkpoints
from solon.config.keys import key_of
from solon.config.training import OptimizerSection
from solon.errors import DivergedError, memory_for
from solon.records import Record

DIVERGED = "diverged.json"
"""Beside the checkpoint: a `DivergedBatch`."""


class ExampleLoss(Record, ser_json_inf_nan="strings"):
    """What one example of a batch costs, computed alone."""

    id: str
    loss: float
    """Sum over what counts, in nats."""
    weight: float


class DivergedBatch(Record, ser_json_inf_nan="strings"):
    """The batch of the update at which training diverged; its losses are by the weights before it."""

    update: int
    """From 1."""
    loss: float
    """Of the whole batch, as `TrainStep` has it."""
    grad_norm: float
    learning_rate: float
    examples: list[ExampleLoss]


class BatchDivergedError(DivergedError):
    """A loss or a gradient is no longer a finite number. The weights are as before the update."""

    def __init__(self, batch: DivergedBatch) -> None:
        numbers = f"loss {batch.loss}, gradient norm {batch.grad_norm}"
        super().__init__(f"training diverged at update {batch.update}: {numbers}")
        self.batch = batch


@contextmanager
def faults_told(section: OptimizerSection, checkpoints: Checkpoints) -> Iterator[None]:
    """For a step of training: raises `DivergedError`, once the batch is kept, and `OutOfMemoryError`, each with the
    setting to lower."""
    key = key_of(type(section))
    try:
        with memory_for(f"{key}.micro_batch_tokens"):
            yield
    except BatchDivergedError as error:
        path = checkpoints.keep(DIVERGED, error.batch.model_dump_json(indent=2).encode() + b"\n")
        raise DivergedError(f"{error}; its examples are in {path} (lower {key}.learning_rate)") from error
